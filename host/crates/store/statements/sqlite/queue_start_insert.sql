-- Notes that jobs of queues with a rate start. ?1: queues and numbers as a JSON array, ?2: now.
-- Differs from postgres: json_each in place of jsonb_to_recordset.
INSERT INTO queue_starts (queue, at, jobs)
SELECT value ->> 'queue', ?2, value ->> 'jobs' FROM json_each(?1)
