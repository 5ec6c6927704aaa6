-- The time that a transaction goes by: the given one, else this database's clock, in microseconds.
-- Differs from postgres: SQLite's clock has milliseconds.
SELECT coalesce(?1, CAST(round(unixepoch('subsec') * 1000) AS INTEGER) * 1000)
