-- The library's version, and whether the file has ever had a schema of ours.
SELECT sqlite_version(), EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_sqlx_migrations')
