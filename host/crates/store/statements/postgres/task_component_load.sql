-- A component that is kept. $1: the task, $2: the digest.
SELECT component FROM task_components WHERE task = $1 AND digest = $2
