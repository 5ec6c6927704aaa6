-- Some jobs with their newest progress, in no order. $1: ids as a JSON array.
SELECT
    j.id, j.task, j.queue, j.priority, j.state, j.args, j.output, j.error_kind, j.error_message, j.attempt,
    j.max_attempts, j.timeout_ms, j.backoff, j.lease, j.worker_id, j.crash_count, j.host_fault_count,
    j.cancel_requested_at, coalesce(p.percent_complete, j.percent_complete) AS percent_complete,
    coalesce(p.task_step, j.task_step) AS task_step, coalesce(p.status_info, j.status_info) AS status_info,
    j.tags, j.metadata, j.created_at, j.run_at, j.started_at, j.finished_at, j.expires_at, j.concurrency_key, j.parent_id,
    j.pending_count,
    (SELECT plugin_digest FROM job_attempts WHERE job_id = j.id AND plugin_digest IS NOT NULL ORDER BY lease DESC LIMIT 1)
        AS plugin_digest,
    (SELECT bill FROM job_attempts WHERE job_id = j.id ORDER BY lease DESC LIMIT 1) AS bill
FROM jobs AS j
LEFT JOIN job_progress AS p ON p.job_id = j.id AND p.lease = j.lease
WHERE j.id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS list (value))
