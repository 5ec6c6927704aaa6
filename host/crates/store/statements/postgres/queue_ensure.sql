-- Makes a row for each queue that has none. $1: the names as a JSON array, in their order: two that add the same names wait
-- for each other in one order, not in a circle.
INSERT INTO queues (name)
SELECT jsonb_array_elements_text($1::jsonb)
ON CONFLICT (name) DO NOTHING
