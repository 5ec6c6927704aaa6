-- Takes jobs that ended and whose dependents are still to be seen to. ?1: how many.
-- Differs from postgres: no SKIP LOCKED. SQLite has one writer, so nobody else can hold these rows.
DELETE FROM dependencies_due WHERE on_id IN (SELECT on_id FROM dependencies_due LIMIT ?1) RETURNING on_id
