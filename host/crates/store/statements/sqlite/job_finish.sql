-- Writes down what becomes of jobs whose attempts ended, each only if it still runs under its lease.
-- A row: id, lease, run_at, finished_at, state, attempts_back, crash_count, host_fault_count,
-- output, error_kind, error_message, percent_complete, task_step, status_info; `run_at` is null if it stays. Returns twice the lease of
-- each, and one more if somebody wants it cancelled: each value that is returned has its price.
-- Differs from postgres: VALUES in place of unnest, with rows of nulls that match no job; and the plus keeps SQLite from going through all jobs that run.
UPDATE jobs
SET state = done.state, run_at = coalesce(done.run_at, jobs.run_at), finished_at = done.finished_at,
    attempt = jobs.attempt - done.attempts_back, crash_count = done.crash_count, host_fault_count = done.host_fault_count,
    output = done.output, error_kind = done.error_kind, error_message = done.error_message,
    percent_complete = done.percent_complete, task_step = done.task_step, status_info = done.status_info, worker_id = NULL
FROM (
    SELECT
        column1 AS id, column2 AS lease, column3 AS run_at, column4 AS finished_at, column5 AS state,
        column6 AS attempts_back, column7 AS crash_count, column8 AS host_fault_count, column9 AS output,
        column10 AS error_kind, column11 AS error_message, column12 AS percent_complete, column13 AS task_step,
        column14 AS status_info
    FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))
) AS done
WHERE jobs.id = done.id AND jobs.lease = done.lease AND +jobs.state = 'running'
RETURNING id, lease * 2 + (cancel_requested_at IS NOT NULL AND finished_at IS NULL) AS lease_and_wish
