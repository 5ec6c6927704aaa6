-- Writes down that a running job is to be cancelled; the first wish counts. $1: the job, $2: now.
UPDATE jobs
SET cancel_requested_at = coalesce(cancel_requested_at, $2)
WHERE id = $1 AND state = 'running'
