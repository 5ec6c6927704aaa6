-- Forgets the live progress of jobs that run no more: what they came to stands in `jobs`. $1: ids as a JSON array.
DELETE FROM job_progress WHERE job_id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS list (value))
