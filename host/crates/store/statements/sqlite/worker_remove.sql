-- Forgets a worker.
DELETE FROM workers WHERE id = ?1
