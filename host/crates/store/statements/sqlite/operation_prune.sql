-- Forgets operations that were over before a time. ?1: the time, ?2: how many.
-- Differs from postgres: no SKIP LOCKED. SQLite has one writer, so nobody else can hold these rows.
DELETE FROM operations WHERE id IN (SELECT id FROM operations WHERE finished_at <= ?1 LIMIT ?2)
