-- Forgets what was answered before a time. $1: the time, $2: how many.
WITH old AS MATERIALIZED (
    SELECT key FROM idempotency_keys WHERE created_at <= $1 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
DELETE FROM idempotency_keys USING old WHERE idempotency_keys.key = old.key
