-- What is written for each job, made less: see decision 10.
-- Differs from sqlite: types, as in 0001, and attempts have no foreign key: it made each of them cost twice as much. Who prunes jobs
-- removes their attempts.

-- Who asks for the jobs of a worker reads all that run, which are few: one index less to write at each claim and each finish.
DROP INDEX jobs_running;
DROP INDEX jobs_running_in_queue;
CREATE INDEX jobs_running ON jobs (queue, concurrency_key, worker_id) WHERE state = 'running';

-- Both stand with the attempts.
ALTER TABLE jobs DROP COLUMN plugin_digest, DROP COLUMN bill;

-- What became of the job: with it an attempt's row is also two entries of the history, its start and its end. Null for attempts
-- whose entries were written apart.
ALTER TABLE job_attempts
    ADD COLUMN state text,
    ADD COLUMN reason text,
    DROP CONSTRAINT job_attempts_job_id_fkey;
-- The start of an attempt that has not ended is read from its job.
DELETE FROM job_events
WHERE state = 'running'
    AND job_id IN (SELECT id FROM jobs WHERE state = 'running')
    AND seq = (SELECT max(seq) FROM job_events AS last WHERE last.job_id = job_events.job_id AND last.state = 'running');

-- A job's whole history. What its row and those of its attempts say is not written a second time: that it was available when it came,
-- when each attempt started, and how each ended. The number of an entry has the lease in its upper half, so that numbers go up: the
-- start of an attempt, its steps, its end, and what came after that.
CREATE VIEW job_history (job_id, seq, at, attempt, kind, state, reason, percent_complete, task_step, status_info) AS
SELECT job_id, seq, at, attempt, kind, state, reason, percent_complete, task_step, status_info
FROM job_events
UNION ALL
SELECT id, 1, created_at, 0, 'state', 'available', NULL::text, NULL::bigint, NULL::bigint, NULL::text
FROM jobs
WHERE NOT EXISTS (SELECT 1 FROM job_events WHERE job_id = jobs.id AND seq = 1)
UNION ALL
SELECT id, lease << 32, started_at, attempt, 'state', 'running', NULL::text, NULL::bigint, NULL::bigint, NULL::text
FROM jobs
WHERE state = 'running'
UNION ALL
SELECT job_id, lease << 32, started_at, attempt, 'state', 'running', NULL::text, NULL::bigint, NULL::bigint, NULL::text
FROM job_attempts
WHERE state IS NOT NULL
UNION ALL
SELECT job_id, (lease << 32) + (1::bigint << 31), ended_at, attempt, 'state', state, reason, NULL::bigint, NULL::bigint, NULL::text
FROM job_attempts
WHERE state IS NOT NULL;
