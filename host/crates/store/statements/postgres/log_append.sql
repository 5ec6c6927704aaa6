-- Adds the lines of a JSON array to a job's log, in the order of the array. $1: the job, $2: the array.
-- The caller holds the job's row, so that nobody else numbers its lines meanwhile.
INSERT INTO job_logs (job_id, seq, at, attempt, stream, text)
SELECT
    $1, (SELECT coalesce(max(seq), 0) FROM job_logs WHERE job_id = $1) + new.place,
    'epoch'::timestamptz + (new.entry ->> 'at')::bigint * interval '1 microsecond', (new.entry ->> 'attempt')::bigint, new.entry ->> 'stream', new.entry ->> 'text'
FROM jsonb_array_elements($2::jsonb) WITH ORDINALITY AS new (entry, place)
