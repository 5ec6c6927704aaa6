-- Cancels the jobs of a JSON array that do not run and are not over. $1: the array, $2: now.
UPDATE jobs
SET state = 'cancelled', finished_at = $2, error_kind = 'cancelled', error_message = unwanted.reason
FROM jsonb_to_recordset($1::jsonb) AS unwanted (id uuid, reason text)
WHERE jobs.id = unwanted.id AND jobs.state IN ('scheduled', 'available', 'retryable')
RETURNING jobs.id, jobs.attempt
