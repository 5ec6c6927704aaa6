-- Writes down what a worker serves, if the worker is there. $1: the worker, $2: a JSON array.
INSERT INTO worker_tasks (worker_id, task, digest, load_error)
SELECT workers.id, new.task, new.digest, new.load_error
FROM jsonb_to_recordset($2::jsonb) AS new (task text, digest text, load_error text)
JOIN workers ON workers.id = $1
ON CONFLICT (worker_id, task) DO UPDATE
SET digest = excluded.digest, load_error = excluded.load_error
