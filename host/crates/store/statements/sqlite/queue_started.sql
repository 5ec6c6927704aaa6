-- How many jobs of some queues started after a time, and when the first of them did. ?1: queues and times as a JSON array.
-- Differs from postgres: json_each in place of jsonb_to_recordset.
SELECT starts.queue, sum(starts.jobs), min(starts.at)
FROM json_each(?1) AS asked
CROSS JOIN queue_starts AS starts
WHERE starts.queue = asked.value ->> 'queue' AND starts.at > asked.value ->> 'since'
GROUP BY starts.queue
