-- A job's artifacts. ?1: the job.
SELECT name, bytes, content_type, sha256, lease FROM job_artifacts WHERE job_id = ?1 ORDER BY name
