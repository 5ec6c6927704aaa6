-- Forgets what a worker serves. ?1: the worker.
DELETE FROM worker_tasks WHERE worker_id = ?1
