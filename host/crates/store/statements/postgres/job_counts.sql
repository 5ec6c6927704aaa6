-- How many jobs each queue has in each state. $1: one queue, or null for all.
SELECT queue, state, sum(jobs)::bigint FROM queue_counts WHERE $1::text IS NULL OR queue = $1 GROUP BY queue, state
