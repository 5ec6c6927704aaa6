-- Writes down what a worker serves, if the worker is there. ?1: the worker, ?2: a JSON array.
-- Differs from postgres: json_each in place of jsonb_to_recordset.
INSERT INTO worker_tasks (worker_id, task, digest, load_error)
SELECT workers.id, value ->> 'task', value ->> 'digest', value ->> 'load_error'
FROM json_each(?2)
JOIN workers ON workers.id = ?1
WHERE true
ON CONFLICT (worker_id, task) DO UPDATE
SET digest = excluded.digest, load_error = excluded.load_error
