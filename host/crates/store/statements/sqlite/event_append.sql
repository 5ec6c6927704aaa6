-- Adds entries to the histories of their jobs, in the order of `place`. A row: job_id, seq, place, at, attempt, kind, state, reason,
-- percent_complete, task_step, status_info. Without a `seq` an entry gets the next one, behind what `job_history` reads elsewhere: a
-- step behind the start of its attempt, a state behind the attempt's end.
-- Differs from postgres: VALUES in place of unnest, with rows of nulls that match no job.
INSERT INTO job_events (job_id, seq, at, attempt, kind, state, reason, percent_complete, task_step, status_info)
SELECT
    new.job_id,
    coalesce(
        new.seq,
        max(
            coalesce((SELECT max(seq) FROM job_events WHERE job_id = new.job_id), 0),
            CASE
                WHEN new.kind = 'step' THEN jobs.lease << 32
                WHEN jobs.lease = 0 THEN 1
                ELSE (jobs.lease << 32) + (1 << 31)
            END
        ) + row_number() OVER (PARTITION BY new.job_id ORDER BY new.place)),
    new.at, new.attempt, new.kind, new.state, new.reason, new.percent_complete, new.task_step, new.status_info
FROM (
    SELECT
        column1 AS job_id, column2 AS seq, column3 AS place, column4 AS at, column5 AS attempt, column6 AS kind,
        column7 AS state, column8 AS reason, column9 AS percent_complete, column10 AS task_step, column11 AS status_info
    FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?))
) AS new
JOIN jobs ON jobs.id = new.job_id
