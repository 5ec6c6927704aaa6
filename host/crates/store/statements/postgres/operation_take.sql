-- The oldest operation that is not over and that nobody works on, held until the transaction ends.
SELECT id, kind, filter, cursor, seen, changed, created_at, finished_at
FROM operations
WHERE finished_at IS NULL
ORDER BY created_at
LIMIT 1
FOR UPDATE SKIP LOCKED
