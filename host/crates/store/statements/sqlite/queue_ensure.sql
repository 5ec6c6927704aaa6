-- Makes a row for each queue that has none. ?1: the names as a JSON array, in their order.
-- Differs from postgres: json_each in place of jsonb_array_elements_text.
INSERT INTO queues (name)
SELECT value FROM json_each(?1) WHERE TRUE
ON CONFLICT (name) DO NOTHING
