-- Settles whatever a job still waits for. $1: the job.
UPDATE job_dependencies SET is_settled = true WHERE job_id = $1 AND NOT is_settled
