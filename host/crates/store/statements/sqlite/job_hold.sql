-- Whether a job still runs under this lease. ?1: the job, ?2: the lease.
-- Differs from postgres: no row lock. The transaction has the only writer, so the answer holds until it commits.
SELECT id FROM jobs WHERE id = ?1 AND lease = ?2 AND state = 'running'
