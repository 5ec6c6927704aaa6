-- The versions that are known of a task, the one that was used last first. $1: the task, $2: one digest, or null for all.
SELECT
    digest, bytes, source, uploaded_at, uploaded_by, author_version,
    CASE WHEN EXISTS (SELECT 1 FROM task_components AS kept WHERE kept.task = $1 AND kept.digest = task_versions.digest)
        THEN 1::bigint ELSE 0::bigint END AS is_kept
FROM task_versions
WHERE task = $1 AND ($2::text IS NULL OR digest = $2)
ORDER BY used_at DESC, digest
