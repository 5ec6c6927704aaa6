-- Notes that a version was put in service. ?1: the task, ?2: the digest, ?3: now.
UPDATE task_versions SET used_at = ?3 WHERE task = ?1 AND digest = ?2
