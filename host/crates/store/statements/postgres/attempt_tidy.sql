-- Forgets what was kept for jobs while an attempt ran: live progress, and the checkpoints of those that are over; what they came to
-- stands in `jobs`. Returns what dependency_open returns for those that are over. A row: a job, 1 if it is over, and how many dependents
-- are asked for.
WITH ended AS MATERIALIZED (
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[]) AS list (id, is_over, most)
),
tidied AS (
    DELETE FROM job_progress WHERE job_id IN (SELECT id FROM ended)
),
forgotten AS (
    DELETE FROM job_checkpoints WHERE job_id IN (SELECT id FROM ended WHERE is_over = 1)
)
SELECT d.job_id, d.on_id, parent.state = 'completed' OR coalesce(child.on_failure, 'cancel') = 'run' AS is_met
FROM job_dependencies AS d
JOIN jobs AS parent ON parent.id = d.on_id AND parent.finished_at IS NOT NULL
JOIN jobs AS child ON child.id = d.job_id
WHERE d.on_id IN (SELECT id FROM ended WHERE is_over = 1) AND NOT d.is_settled
ORDER BY d.job_id, d.on_id
LIMIT (SELECT max(most) FROM ended)
FOR UPDATE OF d, child
