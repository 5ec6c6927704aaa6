-- Adds up the changes of counts, for each queue and state that has several. $1: how many at most. Returns as many rows
-- as there are fewer now. Rows are only ever added and taken away, so a row that is locked is the row that was seen.
WITH several AS MATERIALIZED (
    SELECT queue, state FROM queue_counts GROUP BY queue, state HAVING count(*) > 1
),
taken AS MATERIALIZED (
    SELECT queue_counts.ctid AS place
    FROM queue_counts
    JOIN several ON several.queue = queue_counts.queue AND several.state = queue_counts.state
    -- So that a page that is too small for all of them has all of some, not one of each.
    ORDER BY queue_counts.queue, queue_counts.state
    LIMIT $1
    FOR UPDATE OF queue_counts SKIP LOCKED
),
gone AS (
    DELETE FROM queue_counts USING taken WHERE queue_counts.ctid = taken.place
    RETURNING queue_counts.queue, queue_counts.state, queue_counts.jobs
),
summed AS (
    INSERT INTO queue_counts (queue, state, jobs)
    SELECT queue, state, sum(jobs) FROM gone GROUP BY queue, state HAVING sum(jobs) <> 0
    RETURNING queue
)
SELECT queue FROM gone OFFSET (SELECT count(*) FROM summed)
