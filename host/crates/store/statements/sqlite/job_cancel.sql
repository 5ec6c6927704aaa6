-- Cancels the jobs of a JSON array that do not run and are not over. ?1: the array, ?2: now.
-- Differs from postgres: json_each in place of jsonb_to_recordset, and ids travel as hexadecimal.
UPDATE jobs
SET state = 'cancelled', finished_at = ?2, error_kind = 'cancelled', error_message = unwanted.reason
FROM (SELECT unhex(value ->> 'id') AS id, value ->> 'reason' AS reason FROM json_each(?1)) AS unwanted
WHERE jobs.id = unwanted.id AND jobs.state IN ('scheduled', 'available', 'retryable')
RETURNING jobs.id, jobs.attempt
