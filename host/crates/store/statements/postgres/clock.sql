-- The time that a transaction goes by: the given one, else this database's clock.
SELECT coalesce($1::timestamptz, clock_timestamp())
