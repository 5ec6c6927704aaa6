-- What a server says of itself and of what it grants this user, as `windlass check` wants to know it. How many connections it may
-- have at most and how many of these are free: by the server, by the database and by the user, whichever is least.
WITH used AS (
    SELECT count(*) AS by_all, count(*) FILTER (WHERE datname = current_database()) AS by_database,
        count(*) FILTER (WHERE usename = current_user) AS by_user
    FROM pg_stat_activity WHERE datid IS NOT NULL AND pid <> pg_backend_pid()
), limits AS (
    SELECT
        current_setting('max_connections')::bigint - current_setting('superuser_reserved_connections')::bigint
            - coalesce(current_setting('reserved_connections', true), '0')::bigint AS for_all,
        (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()) AS for_database,
        (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user) AS for_user
)
SELECT
    clock_timestamp(), pg_is_in_recovery(), current_setting('fsync')::boolean, current_setting('full_page_writes')::boolean,
    current_setting('synchronous_commit'), current_setting('autovacuum')::boolean AND current_setting('track_counts')::boolean,
    current_setting('idle_in_transaction_session_timeout') <> '0',
    coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
    to_regclass('_sqlx_migrations') IS NOT NULL,
    least(for_all, for_database, for_user),
    least(for_all - by_all, for_database - by_database, for_user - by_user)
FROM used, limits
