-- Keeps how far a running job is. $1: the job, $2: the lease, $3 to $5: percent, step, text.
INSERT INTO job_progress (job_id, lease, percent_complete, task_step, status_info)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (job_id) DO UPDATE
SET lease = excluded.lease, percent_complete = excluded.percent_complete, task_step = excluded.task_step,
    status_info = excluded.status_info
