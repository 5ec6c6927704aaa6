-- Whether the database answers and has our schema.
SELECT 1 FROM workers LIMIT 1
