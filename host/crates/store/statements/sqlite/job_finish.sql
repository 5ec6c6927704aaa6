-- Writes down what becomes of jobs whose attempts ended, each only if it still runs under its lease. ?1: a JSON array, ?2: now.
-- Differs from postgres: json_each in place of jsonb_to_recordset, and ids travel as hexadecimal.
UPDATE jobs
SET state = done.state, run_at = coalesce(?2 + done.delay, run_at),
    finished_at = CASE WHEN done.state IN ('completed', 'discarded', 'cancelled') THEN ?2 END,
    attempt = attempt - done.attempts_back, crash_count = done.crash_count, host_fault_count = done.host_fault_count,
    output = done.output, error_kind = done.error_kind, error_message = done.error_message,
    percent_complete = done.percent_complete, task_step = done.task_step, status_info = done.status_info,
    plugin_digest = coalesce(done.plugin_digest, jobs.plugin_digest), worker_id = NULL,
    bill = done.bill
FROM (
    SELECT
        unhex(value ->> 'id') AS id, value ->> 'lease' AS lease, value ->> 'state' AS state, value ->> 'delay' AS delay,
        value ->> 'attempts_back' AS attempts_back, value ->> 'crash_count' AS crash_count,
        value ->> 'host_fault_count' AS host_fault_count, value ->> 'output' AS output,
        value ->> 'error_kind' AS error_kind, value ->> 'error_message' AS error_message,
        value ->> 'percent_complete' AS percent_complete, value ->> 'task_step' AS task_step,
        value ->> 'status_info' AS status_info, value ->> 'plugin_digest' AS plugin_digest,
        value ->> 'bill' AS bill
    FROM json_each(?1)
) AS done
WHERE jobs.id = done.id AND jobs.lease = done.lease AND jobs.state = 'running'
RETURNING jobs.id, jobs.lease, jobs.cancel_requested_at IS NOT NULL AND jobs.finished_at IS NULL AS is_unwanted
