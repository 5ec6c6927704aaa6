-- Writes down what becomes of jobs whose attempts ended, each only if it still runs under its lease. $1: a JSON array, $2: now.
UPDATE jobs
SET state = done.state, run_at = coalesce($2::timestamptz + done.delay * interval '1 microsecond', run_at),
    finished_at = CASE WHEN done.state IN ('completed', 'discarded', 'cancelled') THEN $2 END,
    attempt = attempt - done.attempts_back, crash_count = done.crash_count, host_fault_count = done.host_fault_count,
    output = done.output, error_kind = done.error_kind, error_message = done.error_message,
    percent_complete = done.percent_complete, task_step = done.task_step, status_info = done.status_info,
    plugin_digest = coalesce(done.plugin_digest, jobs.plugin_digest), worker_id = NULL,
    bill = done.bill
FROM jsonb_to_recordset($1::jsonb) AS done (
    id uuid, lease bigint, state text, delay bigint, attempts_back bigint, crash_count bigint, host_fault_count bigint,
    output text, error_kind text, error_message text, percent_complete bigint, task_step bigint, status_info text,
    plugin_digest text, bill text)
WHERE jobs.id = done.id AND jobs.lease = done.lease AND jobs.state = 'running'
RETURNING jobs.id, jobs.lease, jobs.cancel_requested_at IS NOT NULL AND jobs.finished_at IS NULL AS is_unwanted
