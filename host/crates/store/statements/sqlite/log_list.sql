-- A job's log after a line. ?1: the job, ?2: the line's number, ?3: how many.
SELECT seq, at, attempt, stream, text
FROM job_logs
WHERE job_id = ?1 AND seq > ?2
ORDER BY seq
LIMIT ?3
