-- Claims the first jobs of a queue for a worker. $1: the worker, $2: the queue, $3: the tasks as a JSON array, $4: how many, $5: now.
-- What job_candidates and job_claim do, where no limit and no other queue has a say.
WITH first AS MATERIALIZED (
    SELECT id FROM jobs
    WHERE state = 'available' AND queue = $2
        AND task = ANY (ARRAY(SELECT jsonb_array_elements_text($3::jsonb)))
        AND (expires_at IS NULL OR expires_at > $5)
    ORDER BY priority, run_at, id
    LIMIT $4
    FOR UPDATE SKIP LOCKED
)
UPDATE jobs
SET state = 'running', worker_id = $1, lease = lease + 1, attempt = attempt + 1, started_at = $5,
    percent_complete = NULL, task_step = NULL, status_info = NULL
FROM first
WHERE jobs.id = first.id
RETURNING
    jobs.id, jobs.task, jobs.queue, jobs.priority, jobs.args, jobs.attempt, jobs.max_attempts, jobs.timeout_ms,
    jobs.backoff, jobs.lease, jobs.crash_count, jobs.host_fault_count, jobs.cancel_requested_at, jobs.tags, jobs.metadata,
    jobs.created_at, jobs.run_at, jobs.expires_at, jobs.concurrency_key, jobs.parent_id
