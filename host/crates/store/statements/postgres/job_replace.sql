-- Gives a job that has not started what a later request says. $1: the job, $2 to $4: args, metadata, tags, $5: when it may
-- start, or null if that stays, $6: when it is too late, or null if that stays, $7: now.
UPDATE jobs
SET args = $2, metadata = $3, tags = $4, run_at = coalesce($5, run_at), expires_at = coalesce($6, expires_at),
    state = CASE
        WHEN $5 IS NULL THEN state
        WHEN $5 > $7 OR pending_count > 0 THEN 'scheduled'
        ELSE 'available'
    END
WHERE id = $1 AND state IN ('scheduled', 'available', 'retryable')
RETURNING id, state, attempt
