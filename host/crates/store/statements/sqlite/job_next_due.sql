-- When the next waiting job is due.
SELECT min(run_at) FROM jobs WHERE state IN ('scheduled', 'retryable') AND pending_count = 0
