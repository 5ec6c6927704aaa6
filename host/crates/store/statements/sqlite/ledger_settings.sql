-- What a connection says of itself where it matters to how quick and how durable a commit is.
-- Differs from postgres: there is no table of settings, each pragma is one.
SELECT 'version' AS name, sqlite_version() AS value
UNION ALL SELECT 'journal_mode', journal_mode FROM pragma_journal_mode
UNION ALL SELECT 'synchronous', CAST(synchronous AS TEXT) FROM pragma_synchronous
UNION ALL SELECT 'locking_mode', locking_mode FROM pragma_locking_mode
UNION ALL SELECT 'page_size', CAST(page_size AS TEXT) FROM pragma_page_size
UNION ALL SELECT 'cache_size', CAST(cache_size AS TEXT) FROM pragma_cache_size
