-- Keeps attempts that ended. ?1: a JSON array, ?2: now.
-- Differs from postgres: json_each in place of jsonb_to_recordset, and ids travel as hexadecimal.
INSERT INTO job_attempts (
    job_id, lease, attempt, worker_id, plugin_digest, started_at, ended_at, error_kind, error_message, bill)
SELECT
    unhex(value ->> 'id'), value ->> 'lease', value ->> 'attempt', unhex(value ->> 'worker_id'), value ->> 'plugin_digest',
    value ->> 'started_at', ?2, value ->> 'error_kind', value ->> 'error_message', value ->> 'bill'
FROM json_each(?1)
