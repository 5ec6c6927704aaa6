-- A job's attempts, and the one that runs now as the last. $1: the job.
SELECT job_id, lease, attempt, worker_id, plugin_digest, started_at, ended_at, error_kind, error_message, bill
FROM job_attempts
WHERE job_id = $1
UNION ALL
SELECT id, lease, attempt, worker_id, NULL, started_at, NULL, NULL, NULL, NULL
FROM jobs
WHERE id = $1 AND state = 'running'
ORDER BY lease
