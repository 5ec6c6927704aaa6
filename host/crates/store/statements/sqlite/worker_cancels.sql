-- What a worker holds and somebody wants cancelled. ?1: the worker.
SELECT id, lease FROM jobs WHERE state = 'running' AND worker_id = ?1 AND cancel_requested_at IS NOT NULL
