-- Writes down how far an operation is. ?1: its id, ?2: the last job that it saw, ?3 and ?4: how many more it saw and changed,
-- ?5: when it was over, or null.
UPDATE operations
SET cursor = coalesce(?2, cursor), seen = seen + ?3, changed = changed + ?4, finished_at = ?5
WHERE id = ?1
