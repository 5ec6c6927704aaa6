-- Writes down what becomes of jobs whose attempts ended, each only if it still runs under its lease.
-- A row: id, lease, run_at, finished_at, state, attempts_back, crash_count, host_fault_count,
-- output, error_kind, error_message, percent_complete, task_step, status_info; `run_at` is null if it stays. Returns twice the lease of
-- each, and one more if somebody wants it cancelled: each value that is returned has its price.
UPDATE jobs
SET state = done.state, run_at = coalesce(done.run_at, jobs.run_at), finished_at = done.finished_at,
    attempt = jobs.attempt - done.attempts_back, crash_count = done.crash_count, host_fault_count = done.host_fault_count,
    output = done.output, error_kind = done.error_kind, error_message = done.error_message,
    percent_complete = done.percent_complete, task_step = done.task_step, status_info = done.status_info, worker_id = NULL
FROM unnest(
    $1::uuid[], $2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],
    $9::text[], $10::text[], $11::text[], $12::bigint[], $13::bigint[], $14::text[]
) AS done (
    id, lease, run_at, finished_at, state, attempts_back, crash_count, host_fault_count, output, error_kind, error_message,
    percent_complete, task_step, status_info)
WHERE jobs.id = done.id AND jobs.lease = done.lease AND jobs.state = 'running'
RETURNING jobs.id, jobs.lease * 2 + (jobs.cancel_requested_at IS NOT NULL AND jobs.finished_at IS NULL)::int AS lease_and_wish
