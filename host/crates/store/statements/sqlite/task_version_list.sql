-- The versions that are known of a task, the one that was used last first. ?1: the task, ?2: one digest, or null for all.
-- Differs from postgres: a truth is a number anyway, and no type needs to be named.
SELECT
    digest, bytes, source, uploaded_at, uploaded_by, author_version,
    EXISTS (SELECT 1 FROM task_components AS kept WHERE kept.task = ?1 AND kept.digest = task_versions.digest) AS is_kept
FROM task_versions
WHERE task = ?1 AND (?2 IS NULL OR digest = ?2)
ORDER BY used_at DESC, digest
