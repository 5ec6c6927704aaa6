-- The queues that a claim may take from: not paused, and with a job of these tasks that can be claimed; with their limits.
-- $1: the tasks as a JSON array, $2: now.
-- A queue with limits is locked, so that what is counted after this stays true until the commit. One that somebody else
-- holds is not waited for: it is not ours this time, and the others are not held up by whoever that is.
WITH open AS MATERIALIZED (
    SELECT name, num_nonnulls(max_running, max_running_per_key, rate_limit) > 0 AS is_limited
    FROM queues
    WHERE paused_at IS NULL
        -- Not EXISTS: that may become a join, which reads all available jobs. This goes through the index to the first one.
        AND (
            SELECT TRUE FROM jobs
            WHERE state = 'available' AND queue = queues.name
                AND task = ANY (ARRAY(SELECT jsonb_array_elements_text($1::jsonb)))
                AND (expires_at IS NULL OR expires_at > $2)
            ORDER BY priority, run_at, id
            LIMIT 1
        )
),
held AS MATERIALIZED (
    SELECT name, max_running, max_running_per_key, rate_limit, rate_period_ms
    FROM queues
    WHERE paused_at IS NULL AND name IN (SELECT name FROM open WHERE is_limited)
    FOR NO KEY UPDATE SKIP LOCKED
)
SELECT
    open.name, held.max_running, held.max_running_per_key, held.rate_limit, held.rate_period_ms,
    NOT open.is_limited OR held.name IS NOT NULL AS is_ours
FROM open
LEFT JOIN held ON held.name = open.name
