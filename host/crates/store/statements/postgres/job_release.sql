-- Takes off what jobs wait for; those that wait for nothing more and are due become available. $1: a JSON array, $2: now.
UPDATE jobs
SET pending_count = pending_count - done.met,
    state = CASE WHEN pending_count = done.met AND run_at <= $2 THEN 'available' ELSE state END
FROM jsonb_to_recordset($1::jsonb) AS done (id uuid, met bigint)
WHERE jobs.id = done.id AND jobs.state = 'scheduled' AND jobs.pending_count >= done.met
RETURNING jobs.id, jobs.state
