-- Whether the database answers and has our schema.
SELECT CAST(1 AS bigint) FROM workers LIMIT 1
