-- What living workers serve of a task, in the order of their start. $1: the task, $2: now.
SELECT worker_id, task, digest, load_error
FROM worker_tasks
JOIN workers ON workers.id = worker_tasks.worker_id
WHERE task = $1 AND workers.lease_until > $2
ORDER BY workers.started_at, worker_id
