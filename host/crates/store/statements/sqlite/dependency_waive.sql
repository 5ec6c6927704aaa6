-- Settles whatever a job still waits for. ?1: the job.
-- Differs from postgres: no boolean.
UPDATE job_dependencies SET is_settled = 1 WHERE job_id = ?1 AND is_settled = 0
