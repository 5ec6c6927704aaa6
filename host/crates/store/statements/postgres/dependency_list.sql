-- What a job comes after, in the order of the ids. $1: the job.
SELECT on_id, is_settled FROM job_dependencies WHERE job_id = $1 ORDER BY on_id
