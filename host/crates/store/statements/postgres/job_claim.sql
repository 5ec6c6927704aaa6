-- Claims the chosen jobs for a worker. $1: the worker, $2: their ids as a JSON array, $3: now.
UPDATE jobs
SET state = 'running', worker_id = $1, lease = lease + 1, attempt = attempt + 1, started_at = $3,
    percent_complete = NULL, task_step = NULL, status_info = NULL
FROM jsonb_array_elements_text($2::jsonb) AS chosen (id)
WHERE jobs.id = chosen.id::uuid AND jobs.state = 'available'
RETURNING
    jobs.id, jobs.task, jobs.queue, jobs.priority, jobs.args, jobs.attempt, jobs.max_attempts, jobs.timeout_ms,
    jobs.backoff, jobs.lease, jobs.crash_count, jobs.host_fault_count, jobs.cancel_requested_at, jobs.tags, jobs.metadata,
    jobs.created_at, jobs.run_at, jobs.expires_at, jobs.concurrency_key, jobs.parent_id
