-- Makes waiting jobs available whose time has come, the earliest first. $1: how many, $2: now.
WITH due AS MATERIALIZED (
    SELECT id FROM jobs
    WHERE state IN ('scheduled', 'retryable') AND pending_count = 0 AND run_at <= $2
    ORDER BY run_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE jobs
SET state = 'available'
FROM due
WHERE jobs.id = due.id
RETURNING jobs.id, jobs.attempt
