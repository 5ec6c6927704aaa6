-- Which jobs hold these keys. ?1: the keys as a JSON array.
-- Differs from postgres: json_each in place of jsonb_array_elements_text.
SELECT unique_key, id FROM jobs
WHERE unique_key IN (SELECT value FROM json_each(?1)) AND unique_key IS NOT NULL
    AND (finished_at IS NULL
        OR (state = 'completed' AND unique_finals & 1 <> 0)
        OR (state = 'discarded' AND unique_finals & 2 <> 0)
        OR (state = 'cancelled' AND unique_finals & 4 <> 0))
