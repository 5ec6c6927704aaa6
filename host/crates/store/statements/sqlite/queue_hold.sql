-- The settings of a queue, held until the transaction ends. ?1: its name.
-- Differs from postgres: no lock. SQLite has one writer, so nobody else can change it.
SELECT
    paused_at, max_running, max_running_per_key, rate_limit, rate_period_ms, keep_completed_ms, keep_discarded_ms,
    keep_cancelled_ms
FROM queues
WHERE name = ?1
