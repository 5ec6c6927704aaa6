-- How many jobs of some queues run, by their concurrency keys. ?1: the queues as a JSON array.
-- Differs from postgres: json_each in place of jsonb_array_elements_text.
SELECT queue, concurrency_key, count(*)
FROM jobs
WHERE state = 'running' AND queue IN (SELECT value FROM json_each(?1))
GROUP BY queue, concurrency_key
