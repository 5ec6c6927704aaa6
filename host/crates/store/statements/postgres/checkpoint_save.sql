-- Keeps a checkpoint. $1: the job, $2: the lease, $3: the bytes.
INSERT INTO job_checkpoints (job_id, lease, data)
VALUES ($1, $2, $3)
ON CONFLICT (job_id) DO UPDATE
SET lease = excluded.lease, data = excluded.data
