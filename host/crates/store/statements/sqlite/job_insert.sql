-- Adds the jobs of a JSON array. ?1: the array, ?2: now.
-- Differs from postgres: json_each in place of jsonb_to_recordset, and ids travel as hexadecimal.
INSERT INTO jobs (
    id, task, queue, priority, state, args, max_attempts, timeout_ms, backoff, tags, metadata, created_at, run_at, expires_at,
    concurrency_key, unique_key, unique_finals, parent_id, child_key, pending_count, on_failure)
SELECT
    unhex(new.value ->> 'id'), new.value ->> 'task', new.value ->> 'queue', new.value ->> 'priority',
    CASE
        WHEN (new.value ->> 'run_at') > ?2 OR (new.value ->> 'pending_count') > 0 THEN 'scheduled'
        ELSE 'available'
    END,
    new.value ->> 'args', new.value ->> 'max_attempts', new.value ->> 'timeout_ms', new.value ->> 'backoff',
    new.value ->> 'tags', new.value ->> 'metadata', ?2, new.value ->> 'run_at', new.value ->> 'expires_at',
    new.value ->> 'concurrency_key', new.value ->> 'unique_key', new.value ->> 'unique_finals',
    unhex(new.value ->> 'parent_id'), new.value ->> 'child_key', new.value ->> 'pending_count', new.value ->> 'on_failure'
FROM json_each(?1) AS new
RETURNING
    id, task, queue, priority, state, args, output, error_kind, error_message, attempt, max_attempts,
    timeout_ms, backoff, lease, worker_id, crash_count, host_fault_count, cancel_requested_at,
    percent_complete, task_step, status_info, tags, metadata, plugin_digest, created_at, run_at, started_at,
    finished_at, expires_at, concurrency_key, parent_id, pending_count, bill
