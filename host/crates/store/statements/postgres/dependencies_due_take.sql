-- Takes jobs that ended and whose dependents are still to be seen to. $1: how many.
DELETE FROM dependencies_due
WHERE on_id IN (SELECT on_id FROM dependencies_due LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING on_id
