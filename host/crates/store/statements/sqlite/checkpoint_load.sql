-- The checkpoint of a job.
SELECT data FROM job_checkpoints WHERE job_id = ?1
