-- How many jobs of some queues run, by their concurrency keys. $1: the queues as a JSON array.
-- A statement of its own after the one that locks the queues: so it sees what others committed before they let go.
SELECT queue, concurrency_key, count(*)
FROM jobs
WHERE state = 'running' AND queue IN (SELECT jsonb_array_elements_text($1::jsonb))
GROUP BY queue, concurrency_key
