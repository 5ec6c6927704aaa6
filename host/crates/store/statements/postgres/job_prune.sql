-- Removes jobs of a queue that ended in a state before a time, the oldest first, with all that belongs to them. One whose
-- dependents are still to be seen to stays. $1: the queue, $2: the state, $3: the time, $4: how many.
WITH old AS MATERIALIZED (
    SELECT id FROM jobs
    WHERE queue = $1 AND state = $2 AND finished_at <= $3
        AND NOT EXISTS (SELECT 1 FROM dependencies_due WHERE on_id = jobs.id)
    ORDER BY finished_at
    LIMIT $4
    FOR UPDATE SKIP LOCKED
),
attempts AS (
    DELETE FROM job_attempts USING old WHERE job_attempts.job_id = old.id
)
DELETE FROM jobs USING old WHERE jobs.id = old.id
RETURNING jobs.id
