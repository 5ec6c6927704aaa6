-- Keeps attempts that ended. A row: job_id, lease, attempt, worker_id, plugin_digest, started_at, ended_at, error_kind, error_message, bill, state, reason.
-- Differs from postgres: VALUES in place of unnest. Rows of nulls fill a list up: they are passed over.
INSERT INTO job_attempts (
    job_id, lease, attempt, worker_id, plugin_digest, started_at, ended_at, error_kind, error_message, bill, state, reason)
SELECT * FROM (VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)) WHERE column1 IS NOT NULL
