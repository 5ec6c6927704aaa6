-- The job that a parent enqueued by this request before. $1: the parent, $2: the request's key.
SELECT id FROM jobs WHERE parent_id = $1 AND child_key = $2
