-- Forgets what was kept for jobs while an attempt ran: live progress, and the checkpoints of those that are over; what they came to
-- stands in `jobs`. Returns what dependency_open returns for those that are over. $1: all of them, $2: those that are over, as JSON
-- arrays of ids, $3: how many dependents.
WITH tidied AS (
    DELETE FROM job_progress WHERE job_id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS list (value))
),
forgotten AS (
    DELETE FROM job_checkpoints WHERE job_id IN (SELECT value::uuid FROM jsonb_array_elements_text($2::jsonb) AS list (value))
)
SELECT d.job_id, d.on_id, parent.state = 'completed' OR coalesce(child.on_failure, 'cancel') = 'run' AS is_met
FROM job_dependencies AS d
JOIN jobs AS parent ON parent.id = d.on_id AND parent.finished_at IS NOT NULL
JOIN jobs AS child ON child.id = d.job_id
WHERE d.on_id IN (SELECT value::uuid FROM jsonb_array_elements_text($2::jsonb) AS list (value)) AND NOT d.is_settled
ORDER BY d.job_id, d.on_id
LIMIT $3
FOR UPDATE OF d, child
