-- Forgets what was kept for jobs while an attempt ran: live progress, and the checkpoints of those that are over; what they came to
-- stands in `jobs`. Returns what dependency_open returns for those that are over. A row: a job, 1 if it is over, and how many dependents
-- are asked for.
-- Differs from postgres: three statements in one text, for one row after the other.
DELETE FROM job_progress WHERE job_id = ?1;
DELETE FROM job_checkpoints WHERE job_id = ?1 AND ?2 = 1;
SELECT d.job_id, d.on_id, parent.state = 'completed' OR coalesce(child.on_failure, 'cancel') = 'run' AS is_met
FROM job_dependencies AS d
JOIN jobs AS parent ON parent.id = d.on_id AND parent.finished_at IS NOT NULL
JOIN jobs AS child ON child.id = d.job_id
WHERE d.on_id = ?1 AND ?2 = 1 AND d.is_settled = 0
ORDER BY d.job_id, d.on_id
LIMIT ?3
