-- Waits until no other daemon brings the schema up, and lets none until the transaction ends. Of the number only matters that it
-- is nobody else's in this database.
SELECT pg_advisory_xact_lock(hashtextextended('windlass migrations', 0))
