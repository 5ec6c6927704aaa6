-- Forgets the checkpoints of jobs that are over. ?1: ids as a JSON array.
-- Differs from postgres: ids travel as hexadecimal.
DELETE FROM job_checkpoints WHERE job_id IN (SELECT unhex(value) FROM json_each(?1))
