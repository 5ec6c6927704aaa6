-- Takes off what jobs wait for; those that wait for nothing more and are due become available. ?1: a JSON array, ?2: now.
-- Differs from postgres: json_each in place of jsonb_to_recordset, and ids travel as hexadecimal.
UPDATE jobs
SET pending_count = pending_count - done.met,
    state = CASE WHEN pending_count = done.met AND run_at <= ?2 THEN 'available' ELSE state END
FROM (SELECT unhex(value ->> 'id') AS id, value ->> 'met' AS met FROM json_each(?1)) AS done
WHERE jobs.id = done.id AND jobs.state = 'scheduled' AND jobs.pending_count >= done.met
RETURNING jobs.id, jobs.state
