-- Which of these jobs there are, and whether they have ended; none of them ends before the transaction does. $1: ids as a
-- JSON array.
SELECT id, finished_at IS NOT NULL AS has_ended FROM jobs
WHERE id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS list (value))
ORDER BY id
FOR SHARE
