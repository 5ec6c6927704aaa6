-- Which other job holds the key of this one. ?1: the job.
SELECT id FROM jobs
WHERE unique_key = (SELECT unique_key FROM jobs WHERE id = ?1) AND unique_key IS NOT NULL AND id <> ?1
    AND (finished_at IS NULL
        OR (state = 'completed' AND unique_finals & 1 <> 0)
        OR (state = 'discarded' AND unique_finals & 2 <> 0)
        OR (state = 'cancelled' AND unique_finals & 4 <> 0))
