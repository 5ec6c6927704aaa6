-- A job's history after an entry. ?1: the job, ?2: the entry's number, ?3: how many.
SELECT seq, at, attempt, kind, state, reason, percent_complete, task_step, status_info
FROM job_history
WHERE job_id = ?1 AND seq > ?2
ORDER BY seq
LIMIT ?3
