-- What comes next in each of some queues, behind a place in its order and without jobs whose concurrency key is taken.
-- $1: queues with their places and taken keys as a JSON array, $2: the tasks as a JSON array, $3: how many of each, $4: now.
SELECT next.id, lane.queue, next.priority, next.run_at, next.concurrency_key, next.task
FROM jsonb_to_recordset($1::jsonb) AS lane (queue text, priority bigint, run_at bigint, id uuid, taken_keys jsonb)
CROSS JOIN LATERAL (
    SELECT jobs.id, jobs.priority, jobs.run_at, jobs.concurrency_key, jobs.task
    FROM jobs
    WHERE jobs.state = 'available' AND jobs.queue = lane.queue
        AND (jobs.priority, jobs.run_at, jobs.id)
            > (lane.priority, 'epoch'::timestamptz + lane.run_at * interval '1 microsecond', lane.id)
        AND jobs.task = ANY (ARRAY(SELECT jsonb_array_elements_text($2::jsonb)))
        AND (jobs.expires_at IS NULL OR jobs.expires_at > $4)
        AND (jobs.concurrency_key IS NULL OR NOT lane.taken_keys ? jobs.concurrency_key)
    ORDER BY jobs.priority, jobs.run_at, jobs.id
    LIMIT $3
    FOR UPDATE SKIP LOCKED
) AS next
