-- Adds the lines of a JSON array to a job's log, in the order of the array. ?1: the job, ?2: the array.
-- Differs from postgres: json_each in place of jsonb_array_elements.
INSERT INTO job_logs (job_id, seq, at, attempt, stream, text)
SELECT
    ?1, (SELECT coalesce(max(seq), 0) FROM job_logs WHERE job_id = ?1) + new.key + 1,
    new.value ->> 'at', new.value ->> 'attempt', new.value ->> 'stream', new.value ->> 'text'
FROM json_each(?2) AS new
