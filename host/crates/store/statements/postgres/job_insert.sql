-- Adds the jobs of a JSON array. $1: the array, $2: now.
INSERT INTO jobs (
    id, task, queue, priority, state, args, max_attempts, timeout_ms, backoff, tags, metadata, created_at, run_at, expires_at,
    concurrency_key, unique_key, unique_finals, parent_id, child_key, pending_count, on_failure)
SELECT
    new.id, new.task, new.queue, new.priority,
    CASE
        WHEN 'epoch'::timestamptz + new.run_at * interval '1 microsecond' > $2 OR new.pending_count > 0 THEN 'scheduled'
        ELSE 'available'
    END,
    new.args, new.max_attempts, new.timeout_ms, new.backoff, new.tags, new.metadata, $2,
    'epoch'::timestamptz + new.run_at * interval '1 microsecond',
    'epoch'::timestamptz + new.expires_at * interval '1 microsecond',
    new.concurrency_key, new.unique_key, new.unique_finals, new.parent_id, new.child_key, new.pending_count, new.on_failure
FROM jsonb_to_recordset($1::jsonb) AS new (
    id uuid, task text, queue text, priority bigint, args text, max_attempts bigint, timeout_ms bigint, backoff text,
    tags text, metadata text, run_at bigint, expires_at bigint, concurrency_key text, unique_key text, unique_finals bigint,
    parent_id uuid, child_key text, pending_count bigint, on_failure text)
RETURNING
    id, task, queue, priority, state, args, output, error_kind, error_message, attempt, max_attempts,
    timeout_ms, backoff, lease, worker_id, crash_count, host_fault_count, cancel_requested_at,
    percent_complete, task_step, status_info, tags, metadata, plugin_digest, created_at, run_at, started_at,
    finished_at, expires_at, concurrency_key, parent_id, pending_count, bill
