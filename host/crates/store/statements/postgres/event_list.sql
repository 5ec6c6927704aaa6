-- A job's history after an entry. $1: the job, $2: the entry's number, $3: how many.
-- What its row and those of its attempts say is not written a second time: that it was available when it came, when each attempt
-- started, and how each ended. The number of an entry has the lease in its upper half, so that the numbers go up: the start of an
-- attempt, its steps, its end, and what came after that.
SELECT seq, at, attempt, kind, state, reason, percent_complete, task_step, status_info
FROM (
    SELECT seq, at, attempt, kind, state, reason, percent_complete, task_step, status_info
    FROM job_events
    WHERE job_id = $1
    UNION ALL
    SELECT 1, created_at, 0, 'state', 'available', NULL::text, NULL::bigint, NULL::bigint, NULL::text
    FROM jobs
    WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM job_events WHERE job_id = $1 AND seq = 1)
    UNION ALL
    SELECT lease << 32, started_at, attempt, 'state', 'running', NULL::text, NULL::bigint, NULL::bigint, NULL::text
    FROM jobs
    WHERE id = $1 AND state = 'running'
    UNION ALL
    SELECT lease << 32, started_at, attempt, 'state', 'running', NULL::text, NULL::bigint, NULL::bigint, NULL::text
    FROM job_attempts
    WHERE job_id = $1 AND state IS NOT NULL
    UNION ALL
    SELECT (lease << 32) + (1::bigint << 31), ended_at, attempt, 'state', state, reason, NULL::bigint, NULL::bigint, NULL::text
    FROM job_attempts
    WHERE job_id = $1 AND state IS NOT NULL
) AS entries
WHERE seq > $2
ORDER BY seq
LIMIT $3
