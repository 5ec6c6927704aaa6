-- Tells other daemons what the transaction changed, once it is committed. $1: what, in letters.
SELECT pg_notify('windlass', $1)
