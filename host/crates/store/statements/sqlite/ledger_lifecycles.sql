-- The jobs of a queue, those together of which the same is kept: their state, how many attempts, which entries of the history, with
-- one of them as the example. Counted in the rows themselves, whatever was answered to anybody. ?1: the queue.
-- Differs from postgres: ids have an order of their own there, but no smallest one.
WITH ended AS (
    SELECT job_attempts.job_id, count(*) AS attempts, max(job_attempts.lease) AS lease,
        count(job_attempts.error_kind) AS failures
    FROM jobs
    JOIN job_attempts ON job_attempts.job_id = jobs.id
    WHERE jobs.queue = ?1
    GROUP BY job_attempts.job_id
), history AS (
    SELECT job_history.job_id,
        count(*) FILTER (WHERE job_history.state IN ('scheduled', 'available')) AS waiting,
        count(*) FILTER (WHERE job_history.state = 'running') AS running,
        count(*) FILTER (WHERE job_history.state = 'completed') AS completed,
        count(*) FILTER (WHERE job_history.state NOT IN ('scheduled', 'available', 'running', 'completed')) AS other
    FROM jobs
    JOIN job_history ON job_history.job_id = jobs.id
    WHERE jobs.queue = ?1 AND job_history.kind = 'state'
    GROUP BY job_history.job_id
)
SELECT
    count(*) AS jobs, min(jobs.id) AS example, jobs.state, jobs.lease, jobs.output IS NOT NULL AS has_output,
    coalesce(ended.attempts, 0) AS attempts, ended.lease AS attempt_lease, coalesce(ended.failures, 0) AS failures,
    coalesce(history.waiting, 0) AS waiting_entries, coalesce(history.running, 0) AS running_entries,
    coalesce(history.completed, 0) AS completed_entries, coalesce(history.other, 0) AS other_entries
FROM jobs
LEFT JOIN ended ON ended.job_id = jobs.id
LEFT JOIN history ON history.job_id = jobs.id
WHERE jobs.queue = ?1
GROUP BY jobs.state, jobs.lease, has_output, ended.attempts, ended.lease, ended.failures, history.waiting, history.running,
    history.completed, history.other
ORDER BY jobs DESC, example
