-- Keeps attempts that ended. A row: job_id, lease, attempt, worker_id, plugin_digest, started_at, ended_at, error_kind, error_message, bill, state, reason.
-- Differs from postgres: VALUES in place of unnest.
INSERT INTO job_attempts (
    job_id, lease, attempt, worker_id, plugin_digest, started_at, ended_at, error_kind, error_message, bill, state, reason)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
