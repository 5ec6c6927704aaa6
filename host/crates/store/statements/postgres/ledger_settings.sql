-- What a connection says of itself where it matters to how quick and how durable a commit is.
SELECT CASE name WHEN 'server_version' THEN 'version' ELSE name END AS name, setting || coalesce(' ' || unit, '') AS value
FROM pg_settings
WHERE name IN (
    'server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'wal_level', 'wal_sync_method', 'commit_delay', 'autovacuum',
    'shared_buffers', 'max_wal_size', 'checkpoint_timeout')
ORDER BY name
