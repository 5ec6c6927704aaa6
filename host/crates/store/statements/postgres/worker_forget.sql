-- Forgets workers whose lease ran out before a time and that hold no job. $1: the time, $2: how many.
WITH gone AS MATERIALIZED (
    SELECT id FROM workers
    WHERE lease_until < $1
        AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.state = 'running' AND jobs.worker_id = workers.id)
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)
DELETE FROM workers USING gone WHERE workers.id = gone.id
