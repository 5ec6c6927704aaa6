-- Forgets starts that no rate counts any more. $1: queues and times as a JSON array.
DELETE FROM queue_starts AS starts
USING jsonb_to_recordset($1::jsonb) AS asked (queue text, since bigint)
WHERE starts.queue = asked.queue AND starts.at <= 'epoch'::timestamptz + asked.since * interval '1 microsecond'
