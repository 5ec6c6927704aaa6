-- Keeps attempts that ended. A row: job_id, lease, attempt, worker_id, plugin_digest, started_at, ended_at, error_kind, error_message, bill, state, reason.
INSERT INTO job_attempts (
    job_id, lease, attempt, worker_id, plugin_digest, started_at, ended_at, error_kind, error_message, bill, state, reason)
SELECT * FROM unnest(
    $1::uuid[], $2::bigint[], $3::bigint[], $4::uuid[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::text[],
    $9::text[], $10::text[], $11::text[], $12::text[]
) AS ended (
    job_id, lease, attempt, worker_id, plugin_digest, started_at, ended_at, error_kind, error_message, bill, state, reason)
