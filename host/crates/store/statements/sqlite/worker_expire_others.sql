-- Ends the lease of every other worker. ?1: the worker, ?2: now.
UPDATE workers SET lease_until = ?2 WHERE id <> ?1 AND lease_until > ?2
