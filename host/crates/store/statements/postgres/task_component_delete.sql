-- Frees all components of a task. $1: the task.
DELETE FROM task_components WHERE task = $1
