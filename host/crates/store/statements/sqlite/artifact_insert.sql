-- Keeps a completed job's artifacts; a later attempt's take the place of an earlier one's. ?1: the job, ?2: a JSON array.
-- Differs from postgres: json_each in place of jsonb_to_recordset.
INSERT INTO job_artifacts (job_id, name, bytes, content_type, sha256, lease)
SELECT ?1, value ->> 'name', value ->> 'bytes', value ->> 'content_type', value ->> 'sha256', value ->> 'lease'
FROM json_each(?2)
WHERE true
ON CONFLICT (job_id, name) DO UPDATE
SET bytes = excluded.bytes, content_type = excluded.content_type, sha256 = excluded.sha256, lease = excluded.lease
