-- Forgets starts that no rate counts any more. ?1: queues and times as a JSON array.
-- Differs from postgres: json_each in place of jsonb_to_recordset.
DELETE FROM queue_starts
WHERE rowid IN (
    SELECT starts.rowid
    FROM json_each(?1) AS asked
    CROSS JOIN queue_starts AS starts
    WHERE starts.queue = asked.value ->> 'queue' AND starts.at <= asked.value ->> 'since'
)
