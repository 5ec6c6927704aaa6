-- Frees the components of a task that were used longest ago; never the one in service, nor the one before it. $1: the task,
-- $2: how many others stay.
DELETE FROM task_components
WHERE task = $1 AND digest IN (
    SELECT versions.digest
    FROM task_versions AS versions
    JOIN task_components AS kept ON kept.task = versions.task AND kept.digest = versions.digest
    WHERE versions.task = $1
        AND versions.digest NOT IN (SELECT digest FROM tasks WHERE name = $1 AND digest IS NOT NULL)
        AND versions.digest NOT IN (SELECT previous_digest FROM tasks WHERE name = $1 AND previous_digest IS NOT NULL)
    ORDER BY versions.used_at DESC, versions.digest
    OFFSET $2
)
