-- Keeps a completed job's artifacts; a later attempt's take the place of an earlier one's. $1: the job, $2: a JSON array.
INSERT INTO job_artifacts (job_id, name, bytes, content_type, sha256, lease)
SELECT $1, name, bytes, content_type, sha256, lease
FROM jsonb_to_recordset($2::jsonb) AS new (name text, bytes bigint, content_type text, sha256 text, lease bigint)
ON CONFLICT (job_id, name) DO UPDATE
SET bytes = excluded.bytes, content_type = excluded.content_type, sha256 = excluded.sha256, lease = excluded.lease
