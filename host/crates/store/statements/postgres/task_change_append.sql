-- Adds to the history of a task, which the caller holds. $1: the task, $2: now, $3: what was in service, $4: what is, $5: the reason,
-- $6: in words.
INSERT INTO task_changes (task, seq, at, from_digest, to_digest, reason, message)
SELECT $1, coalesce(max(seq), 0) + 1, $2, $3, $4, $5, $6
FROM task_changes
WHERE task = $1
