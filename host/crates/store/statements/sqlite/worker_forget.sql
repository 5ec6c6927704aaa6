-- Forgets workers whose lease ran out before a time and that hold no job. ?1: the time, ?2: how many.
-- Differs from postgres: no SKIP LOCKED. SQLite has one writer, so nobody else can hold these rows.
DELETE FROM workers
WHERE id IN (
    SELECT id FROM workers
    WHERE lease_until < ?1
        AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.state = 'running' AND jobs.worker_id = workers.id)
    LIMIT ?2
)
