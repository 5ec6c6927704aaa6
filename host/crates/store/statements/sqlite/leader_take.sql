-- Leads in a role, or goes on to: taken over only when the lease of whoever led has run out. ?1: the role, ?2: the worker,
-- ?3: now, ?4: until when.
INSERT INTO leaders (role, worker_id, term, lease_until)
VALUES (?1, ?2, 1, ?4)
ON CONFLICT (role) DO UPDATE
SET term = leaders.term + CASE WHEN leaders.worker_id = ?2 THEN 0 ELSE 1 END, worker_id = ?2, lease_until = ?4
WHERE leaders.worker_id = ?2 OR leaders.lease_until <= ?3
RETURNING term
