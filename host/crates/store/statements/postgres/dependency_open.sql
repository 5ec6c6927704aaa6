-- What comes after jobs that have ended and is not settled yet. $1: the ended jobs as a JSON array, $2: how many.
-- The rows of the jobs that wait are locked in the order of their ids, so that two that end at once never wait for each other.
SELECT d.job_id, d.on_id, parent.state = 'completed' OR coalesce(child.on_failure, 'cancel') = 'run' AS is_met
FROM job_dependencies AS d
JOIN jobs AS parent ON parent.id = d.on_id AND parent.finished_at IS NOT NULL
JOIN jobs AS child ON child.id = d.job_id
WHERE d.on_id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS list (value)) AND NOT d.is_settled
ORDER BY d.job_id, d.on_id
LIMIT $2
FOR UPDATE OF d, child
