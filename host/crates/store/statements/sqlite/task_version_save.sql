-- Keeps what is known of a version. One that was sent stays so, also if it is a file somewhere. ?1: the task, ?2: the digest,
-- ?3: its size, ?4: by which way it came, ?5: now, ?6: who sent it, ?7: the version that its author gave it.
INSERT INTO task_versions (task, digest, bytes, source, uploaded_at, uploaded_by, author_version, used_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?5)
ON CONFLICT (task, digest) DO UPDATE
SET source = CASE WHEN excluded.source = 'upload' THEN 'upload' ELSE task_versions.source END, used_at = excluded.used_at
