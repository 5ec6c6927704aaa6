-- Claims the next jobs of some tasks for a worker. ?1: the worker, ?2: the tasks as a JSON array, ?3: how many, ?4: now.
-- Differs from postgres: no SKIP LOCKED. SQLite has one writer, so nobody else can hold these rows.
UPDATE jobs
SET state = 'running', worker_id = ?1, lease = lease + 1, attempt = attempt + 1, started_at = ?4,
    percent_complete = NULL, task_step = NULL, status_info = NULL
WHERE id IN (
    SELECT id FROM jobs
    WHERE state = 'available' AND task IN (SELECT value FROM json_each(?2))
    ORDER BY priority, run_at, id
    LIMIT ?3
)
RETURNING
    id, task, queue, priority, state, args, output, error_kind, error_message, attempt, max_attempts,
    timeout_ms, backoff, lease, worker_id, crash_count, host_fault_count, cancel_requested_at,
    percent_complete, task_step, status_info, tags, metadata, plugin_digest, created_at, run_at, started_at,
    finished_at, expires_at, concurrency_key, parent_id, pending_count
