-- Forgets what was answered before a time. ?1: the time, ?2: how many.
-- Differs from postgres: no SKIP LOCKED. SQLite has one writer, so nobody else can hold these rows.
DELETE FROM idempotency_keys
WHERE key IN (SELECT key FROM idempotency_keys WHERE created_at <= ?1 ORDER BY created_at LIMIT ?2)
