-- How many jobs each queue has in each state. ?1: one queue, or null for all.
-- Differs from postgres: counts are kept in place, so there is one row for each queue and state.
SELECT queue, state, jobs FROM queue_counts WHERE ?1 IS NULL OR queue = ?1
