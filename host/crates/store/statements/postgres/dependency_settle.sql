-- Settles dependencies. $1: a JSON array.
UPDATE job_dependencies AS d SET is_settled = true
FROM jsonb_to_recordset($1::jsonb) AS done (job_id uuid, on_id uuid)
WHERE d.job_id = done.job_id AND d.on_id = done.on_id
