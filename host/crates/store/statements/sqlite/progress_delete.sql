-- Forgets the live progress of jobs that run no more: what they came to stands in `jobs`. ?1: ids as a JSON array.
-- Differs from postgres: ids travel as hexadecimal.
DELETE FROM job_progress WHERE job_id IN (SELECT unhex(value) FROM json_each(?1))
