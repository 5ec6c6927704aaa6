-- Forgets what was kept for jobs while an attempt ran: live progress, and the checkpoints of those that are over; what they came to
-- stands in `jobs`. $1: all of them, $2: those that are over, as JSON arrays of ids.
WITH tidied AS (
    DELETE FROM job_progress WHERE job_id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS list (value))
)
DELETE FROM job_checkpoints WHERE job_id IN (SELECT value::uuid FROM jsonb_array_elements_text($2::jsonb) AS list (value))
