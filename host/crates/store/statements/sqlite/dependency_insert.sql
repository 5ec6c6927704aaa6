-- Keeps which job comes after which. ?1: a JSON array.
-- Differs from postgres: json_each in place of jsonb_to_recordset, and ids travel as hexadecimal.
INSERT INTO job_dependencies (job_id, on_id)
SELECT unhex(value ->> 'job_id'), unhex(value ->> 'on_id') FROM json_each(?1)
