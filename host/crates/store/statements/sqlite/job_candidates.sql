-- What comes next in each of some queues, behind a place in its order and without jobs whose concurrency key is taken.
-- ?1: queues with their places and taken keys as a JSON array, ?2: the tasks as a JSON array, ?3: how many of each, ?4: now.
-- Differs from postgres: no LATERAL and no SKIP LOCKED. SQLite has one writer, so nobody else can hold these rows.
SELECT jobs.id, jobs.queue, jobs.priority, jobs.run_at, jobs.concurrency_key, jobs.task
FROM json_each(?1) AS lane
CROSS JOIN jobs
WHERE jobs.id IN (
    SELECT next.id FROM jobs AS next
    WHERE next.state = 'available' AND next.queue = lane.value ->> 'queue'
        AND (next.priority, next.run_at, next.id)
            > (lane.value ->> 'priority', lane.value ->> 'run_at', unhex(lane.value ->> 'id'))
        AND next.task IN (SELECT value FROM json_each(?2))
        AND (next.expires_at IS NULL OR next.expires_at > ?4)
        AND (next.concurrency_key IS NULL
            OR next.concurrency_key NOT IN (SELECT value FROM json_each(lane.value ->> 'taken_keys')))
    ORDER BY next.priority, next.run_at, next.id
    LIMIT ?3
)
