-- Settles dependencies. ?1: a JSON array.
-- Differs from postgres: json_each in place of jsonb_to_recordset, and ids travel as hexadecimal.
UPDATE job_dependencies SET is_settled = 1
WHERE (job_id, on_id) IN (SELECT unhex(value ->> 'job_id'), unhex(value ->> 'on_id') FROM json_each(?1))
