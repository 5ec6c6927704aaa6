-- Removes jobs of a queue that ended in a state before a time, the oldest first, with all that belongs to them. One whose
-- dependents are still to be seen to stays. ?1: the queue, ?2: the state, ?3: the time, ?4: how many.
-- Differs from postgres: attempts go by their foreign key, and no SKIP LOCKED. SQLite has one writer, so nobody else can hold these rows.
DELETE FROM jobs
WHERE id IN (
    SELECT id FROM jobs
    WHERE queue = ?1 AND state = ?2 AND finished_at <= ?3
        AND NOT EXISTS (SELECT 1 FROM dependencies_due WHERE on_id = jobs.id)
    ORDER BY finished_at
    LIMIT ?4
)
RETURNING id
