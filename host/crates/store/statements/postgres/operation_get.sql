-- One operation. $1: its id.
SELECT id, kind, filter, cursor, seen, changed, created_at, finished_at FROM operations WHERE id = $1
