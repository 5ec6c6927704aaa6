-- The newest migration that the database has seen; the same on both databases.
SELECT max(version) FROM _sqlx_migrations
