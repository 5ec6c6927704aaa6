-- Adds entries to the histories of their jobs, in the order of `place`. A row: job_id, seq, place, at, attempt, kind, state, reason,
-- percent_complete, task_step, status_info. Without a `seq` an entry gets the next one, behind what `job_history` reads elsewhere: a
-- step behind the start of its attempt, a state behind the attempt's end.
-- The caller holds the rows of these jobs, so that nobody else numbers their entries meanwhile.
INSERT INTO job_events (job_id, seq, at, attempt, kind, state, reason, percent_complete, task_step, status_info)
SELECT
    new.job_id,
    coalesce(
        new.seq,
        greatest(
            coalesce((SELECT max(seq) FROM job_events WHERE job_id = new.job_id), 0),
            CASE
                WHEN new.kind = 'step' THEN jobs.lease << 32
                WHEN jobs.lease = 0 THEN 1
                ELSE (jobs.lease << 32) + (1::bigint << 31)
            END
        ) + row_number() OVER (PARTITION BY new.job_id ORDER BY new.place)),
    new.at, new.attempt, new.kind, new.state, new.reason, new.percent_complete, new.task_step, new.status_info
FROM unnest(
    $1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::bigint[], $6::text[], $7::text[], $8::text[],
    $9::bigint[], $10::bigint[], $11::text[]
) AS new (
    job_id, seq, place, at, attempt, kind, state, reason, percent_complete, task_step, status_info)
JOIN jobs ON jobs.id = new.job_id
