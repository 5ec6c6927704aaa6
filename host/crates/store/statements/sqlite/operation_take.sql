-- The oldest operation that is not over, held until the transaction ends.
-- Differs from postgres: no SKIP LOCKED. SQLite has one writer, so nobody else can hold it.
SELECT id, kind, filter, cursor, seen, changed, created_at, finished_at
FROM operations
WHERE finished_at IS NULL
ORDER BY created_at
LIMIT 1
