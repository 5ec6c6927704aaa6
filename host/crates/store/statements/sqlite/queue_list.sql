-- The queues by name, with their settings and the time of the available job that has waited longest. ?1: one name, or null for all.
-- Differs from postgres: text is sorted by its bytes anyway.
-- The jobs of a queue lie by priority first: the earliest of each priority that occurs is looked up by itself, so that no
-- number of jobs makes this slow.
WITH RECURSIVE lanes (queue, priority) AS (
    SELECT name, (SELECT min(priority) FROM jobs WHERE state = 'available' AND queue = name)
    FROM queues
    WHERE ?1 IS NULL OR name = ?1
    UNION ALL
    SELECT queue,
        (SELECT min(priority) FROM jobs
            WHERE state = 'available' AND jobs.queue = lanes.queue AND jobs.priority > lanes.priority)
    FROM lanes
    WHERE priority IS NOT NULL
),
oldest (queue, at) AS (
    SELECT queue,
        min((SELECT min(run_at) FROM jobs
            WHERE state = 'available' AND jobs.queue = lanes.queue AND jobs.priority = lanes.priority))
    FROM lanes
    GROUP BY queue
)
SELECT
    name, paused_at, max_running, max_running_per_key, rate_limit, rate_period_ms, keep_completed_ms, keep_discarded_ms,
    keep_cancelled_ms, oldest.at AS oldest_available_at
FROM queues
JOIN oldest ON oldest.queue = name
ORDER BY name
