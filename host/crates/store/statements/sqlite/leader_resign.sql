-- Gives up leading; the term stays, so that the next one's is higher. ?1: the worker, ?2: now.
UPDATE leaders SET lease_until = ?2 WHERE worker_id = ?1 AND lease_until > ?2
