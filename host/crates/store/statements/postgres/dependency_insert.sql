-- Keeps which job comes after which. $1: a JSON array.
INSERT INTO job_dependencies (job_id, on_id)
SELECT job_id, on_id FROM jsonb_to_recordset($1::jsonb) AS new (job_id uuid, on_id uuid)
