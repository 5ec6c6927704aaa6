-- Which jobs hold these keys. $1: the keys as a JSON array.
SELECT unique_key, id FROM jobs
WHERE unique_key IN (SELECT jsonb_array_elements_text($1::jsonb)) AND unique_key IS NOT NULL
    AND (finished_at IS NULL
        OR (state = 'completed' AND unique_finals & 1 <> 0)
        OR (state = 'discarded' AND unique_finals & 2 <> 0)
        OR (state = 'cancelled' AND unique_finals & 4 <> 0))
