-- Forgets the checkpoints of jobs that are over. $1: ids as a JSON array.
DELETE FROM job_checkpoints WHERE job_id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS list (value))
