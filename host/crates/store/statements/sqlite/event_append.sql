-- Adds the entries of a JSON array to the histories of their jobs, in the order of the array. ?1: the array, ?2: now.
-- Differs from postgres: json_each in place of jsonb_array_elements, and ids travel as hexadecimal.
INSERT INTO job_events (job_id, seq, at, attempt, kind, state, reason, percent_complete, task_step, status_info)
SELECT
    new.job_id,
    (SELECT coalesce(max(seq), 0) FROM job_events WHERE job_id = new.job_id)
        + row_number() OVER (PARTITION BY new.job_id ORDER BY new.place),
    coalesce(new.entry ->> 'at', ?2), new.entry ->> 'attempt', new.entry ->> 'kind', new.entry ->> 'state',
    new.entry ->> 'reason', new.entry ->> 'percent_complete', new.entry ->> 'task_step', new.entry ->> 'status_info'
FROM (SELECT key AS place, value AS entry, unhex(value ->> 'job_id') AS job_id FROM json_each(?1)) AS new
