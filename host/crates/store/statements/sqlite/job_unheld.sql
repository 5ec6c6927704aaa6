-- Jobs that a worker is believed to run and does not hold, claimed before a time. ?1: the worker, ?2: what it holds, a JSON array of
-- {id, lease}, ?3: the time, ?4: how many.
-- Differs from postgres: json_each in place of jsonb_to_recordset, ids travel as hexadecimal, and no SKIP LOCKED.
SELECT id FROM jobs
WHERE state = 'running' AND worker_id = ?1 AND started_at <= ?3
    AND (id, lease) NOT IN (SELECT unhex(value ->> 'id'), value ->> 'lease' FROM json_each(?2))
LIMIT ?4
