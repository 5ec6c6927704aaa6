-- A task, held until the transaction ends. $1: its name.
SELECT
    name, digest, previous_digest, is_pinned, reason,
    (SELECT source FROM task_versions WHERE task = tasks.name AND task_versions.digest = tasks.digest) AS source
FROM tasks
WHERE name = $1
FOR NO KEY UPDATE
