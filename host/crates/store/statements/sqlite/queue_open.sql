-- The queues that a claim may take from: not paused, and with a job of these tasks that can be claimed; with their limits.
-- ?1: the tasks as a JSON array, ?2: now.
-- Differs from postgres: EXISTS does not become a join, and no lock. SQLite has one writer, so every queue is ours.
SELECT name, max_running, max_running_per_key, rate_limit, rate_period_ms, TRUE AS is_ours
FROM queues
WHERE paused_at IS NULL
    AND EXISTS (
        SELECT 1 FROM jobs
        WHERE state = 'available' AND queue = queues.name AND task IN (SELECT value FROM json_each(?1))
            AND (expires_at IS NULL OR expires_at > ?2)
    )
