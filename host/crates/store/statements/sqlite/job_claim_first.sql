-- Claims the first jobs of a queue for a worker. ?1: the worker, ?2: the queue, ?3: the tasks as a JSON array, ?4: how many, ?5: now.
-- What job_candidates and job_claim do, where no limit and no other queue has a say.
-- Differs from postgres: no SKIP LOCKED, SQLite has one writer; and two statements, which cost less than one that returns what it changed.
SELECT
    id, task, queue, priority, args, attempt + 1 AS attempt, max_attempts, timeout_ms, backoff, lease + 1 AS lease, crash_count,
    host_fault_count, cancel_requested_at, tags, metadata, created_at, run_at, expires_at, concurrency_key, parent_id
FROM jobs
WHERE state = 'available' AND queue = ?2 AND task IN (SELECT value FROM json_each(?3))
    AND (expires_at IS NULL OR expires_at > ?5)
ORDER BY priority, run_at, id
LIMIT ?4;
UPDATE jobs
SET state = 'running', worker_id = ?1, lease = lease + 1, attempt = attempt + 1, started_at = ?5,
    percent_complete = NULL, task_step = NULL, status_info = NULL
WHERE rowid IN (
    SELECT rowid
    FROM jobs
    WHERE state = 'available' AND queue = ?2 AND task IN (SELECT value FROM json_each(?3))
        AND (expires_at IS NULL OR expires_at > ?5)
    ORDER BY priority, run_at, id
    LIMIT ?4
)
