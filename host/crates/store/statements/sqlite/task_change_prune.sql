-- Forgets the oldest part of a history. ?1: the task, ?2: how many entries stay.
DELETE FROM task_changes
WHERE task = ?1 AND seq <= (SELECT max(seq) FROM task_changes WHERE task = ?1) - ?2
