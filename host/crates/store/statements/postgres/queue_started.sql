-- How many jobs of some queues started after a time, and when the first of them did. $1: queues and times as a JSON array.
SELECT starts.queue, sum(starts.jobs)::bigint, min(starts.at)
FROM jsonb_to_recordset($1::jsonb) AS asked (queue text, since bigint)
JOIN queue_starts AS starts
    ON starts.queue = asked.queue AND starts.at > 'epoch'::timestamptz + asked.since * interval '1 microsecond'
GROUP BY starts.queue
