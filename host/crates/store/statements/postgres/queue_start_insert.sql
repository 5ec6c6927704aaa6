-- Notes that jobs of queues with a rate start. $1: queues and numbers as a JSON array, $2: now.
INSERT INTO queue_starts (queue, at, jobs)
SELECT queue, $2, jobs FROM jsonb_to_recordset($1::jsonb) AS started (queue text, jobs bigint)
