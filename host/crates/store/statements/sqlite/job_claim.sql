-- Claims the chosen jobs for a worker. ?1: the worker, ?2: their ids as a JSON array, ?3: now.
-- Differs from postgres: json_each in place of jsonb_array_elements_text, and ids travel as hexadecimal.
UPDATE jobs
SET state = 'running', worker_id = ?1, lease = lease + 1, attempt = attempt + 1, started_at = ?3,
    percent_complete = NULL, task_step = NULL, status_info = NULL
WHERE id IN (SELECT unhex(value) FROM json_each(?2)) AND state = 'available'
RETURNING
    id, task, queue, priority, args, attempt, max_attempts, timeout_ms, backoff, lease, crash_count, host_fault_count,
    cancel_requested_at, tags, metadata, created_at, run_at, expires_at, concurrency_key, parent_id
