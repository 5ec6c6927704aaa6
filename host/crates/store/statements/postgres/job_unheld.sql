-- Jobs that a worker is believed to run and does not hold, claimed before a time. $1: the worker, $2: what it holds, a JSON array of
-- {id, lease}, $3: the time, $4: how many.
SELECT id FROM jobs
WHERE state = 'running' AND worker_id = $1 AND started_at <= $3
    AND (id, lease) NOT IN (SELECT held.id, held.lease FROM jsonb_to_recordset($2::jsonb) AS held (id uuid, lease bigint))
LIMIT $4
FOR UPDATE SKIP LOCKED
