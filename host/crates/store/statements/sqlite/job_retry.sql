-- Makes a job that does not run available now, with one attempt left at least, and forgets how it ended. ?1: the job, ?2: now.
-- Differs from postgres: max of two values in place of greatest.
UPDATE jobs
SET state = 'available', run_at = ?2, finished_at = NULL, output = NULL, error_kind = NULL, error_message = NULL,
    cancel_requested_at = NULL, pending_count = 0, expires_at = NULL, crash_count = 0, host_fault_count = 0, max_attempts = max(max_attempts, attempt + 1)
WHERE id = ?1 AND state <> 'running'
