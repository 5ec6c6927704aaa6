-- The tasks by name. $1: one name, or null for all.
SELECT
    name, digest, previous_digest, is_pinned, reason,
    (SELECT source FROM task_versions WHERE task = tasks.name AND task_versions.digest = tasks.digest) AS source
FROM tasks
WHERE $1::text IS NULL OR name = $1
ORDER BY name COLLATE "C"
