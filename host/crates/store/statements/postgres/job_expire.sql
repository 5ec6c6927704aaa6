-- Discards jobs that could not be started before it was too late. $1: how many, $2: now.
WITH late AS MATERIALIZED (
    SELECT id FROM jobs
    WHERE expires_at IS NOT NULL AND expires_at <= $2 AND state IN ('scheduled', 'available', 'retryable')
    ORDER BY expires_at
    LIMIT $1
    FOR UPDATE SKIP LOCKED
)
UPDATE jobs
SET state = 'discarded', finished_at = $2, error_kind = 'expired', error_message = 'it could not be started before it was too late'
FROM late
WHERE jobs.id = late.id
RETURNING jobs.id, jobs.attempt
