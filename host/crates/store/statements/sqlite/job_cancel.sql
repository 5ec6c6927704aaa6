-- Cancels a job that has not started. ?1: the job, ?2: now.
UPDATE jobs
SET state = 'cancelled', finished_at = ?2, error_kind = 'cancelled', error_message = 'cancelled before it ran'
WHERE id = ?1 AND state IN ('scheduled', 'available', 'retryable')
