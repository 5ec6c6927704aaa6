-- Drops counts that are nothing. ?1: how many at most.
-- Differs from postgres: counts are kept in place, so there is nothing to add up.
DELETE FROM queue_counts
WHERE (queue, state) IN (SELECT queue, state FROM queue_counts WHERE jobs = 0 LIMIT ?1)
RETURNING queue
