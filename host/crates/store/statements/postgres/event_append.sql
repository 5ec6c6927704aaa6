-- Adds the entries of a JSON array to the histories of their jobs, in the order of the array. $1: the array, $2: now.
-- The caller holds the rows of these jobs, so that nobody else numbers their entries meanwhile.
INSERT INTO job_events (job_id, seq, at, attempt, kind, state, reason, percent_complete, task_step, status_info)
SELECT
    new.job_id,
    (SELECT coalesce(max(seq), 0) FROM job_events WHERE job_id = new.job_id)
        + row_number() OVER (PARTITION BY new.job_id ORDER BY new.place),
    coalesce('epoch'::timestamptz + (new.entry ->> 'at')::bigint * interval '1 microsecond', $2), (new.entry ->> 'attempt')::bigint, new.entry ->> 'kind',
    new.entry ->> 'state', new.entry ->> 'reason', (new.entry ->> 'percent_complete')::bigint,
    (new.entry ->> 'task_step')::bigint, new.entry ->> 'status_info'
FROM (
    SELECT place, entry, (entry ->> 'job_id')::uuid AS job_id
    FROM jsonb_array_elements($1::jsonb) WITH ORDINALITY AS list (entry, place)
) AS new
