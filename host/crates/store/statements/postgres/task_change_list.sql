-- The newest entries of a history, the newest first. $1: the task, $2: how many.
SELECT at, from_digest, to_digest, reason, message
FROM task_changes
WHERE task = $1
ORDER BY seq DESC
LIMIT $2
