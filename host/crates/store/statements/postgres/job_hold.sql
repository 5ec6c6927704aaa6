-- Whether a job still runs under this lease; keeps it so until the transaction ends. $1: the job, $2: the lease.
SELECT id FROM jobs WHERE id = $1 AND lease = $2 AND state = 'running' FOR UPDATE
