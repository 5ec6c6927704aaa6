-- Keeps attempts that ended. $1: a JSON array, $2: now.
INSERT INTO job_attempts (
    job_id, lease, attempt, worker_id, plugin_digest, started_at, ended_at, error_kind, error_message, bill)
SELECT id, lease, attempt, worker_id, plugin_digest,
    'epoch'::timestamptz + started_at * interval '1 microsecond', $2, error_kind, error_message, bill
FROM jsonb_to_recordset($1::jsonb) AS ended (
    id uuid, lease bigint, attempt bigint, worker_id uuid, plugin_digest text, started_at bigint, error_kind text,
    error_message text, bill text)
