-- Writes down the settings of a queue. ?1: its name, ?2 to ?9: what it is set to, in the order of the columns.
UPDATE queues
SET paused_at = ?2, max_running = ?3, max_running_per_key = ?4, rate_limit = ?5, rate_period_ms = ?6,
    keep_completed_ms = ?7, keep_discarded_ms = ?8, keep_cancelled_ms = ?9
WHERE name = ?1
