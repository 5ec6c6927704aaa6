-- Forgets what was kept for jobs while an attempt ran: live progress, and the checkpoints of those that are over; what they came to
-- stands in `jobs`. ?1: all of them, ?2: those that are over, as JSON arrays of ids.
-- Differs from postgres: two statements in one text, and ids travel as hexadecimal.
DELETE FROM job_progress WHERE job_id IN (SELECT unhex(value) FROM json_each(?1));
DELETE FROM job_checkpoints WHERE job_id IN (SELECT unhex(value) FROM json_each(?2))
