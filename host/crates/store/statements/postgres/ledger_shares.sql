-- How many attempts at jobs of a queue each worker has ended, the most first. $1: the queue.
SELECT job_attempts.worker_id, count(*) AS attempts
FROM jobs
JOIN job_attempts ON job_attempts.job_id = jobs.id
WHERE jobs.queue = $1
GROUP BY job_attempts.worker_id
ORDER BY attempts DESC, job_attempts.worker_id
