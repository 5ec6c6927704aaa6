//! The queue in PostgreSQL, for many daemons on many hosts.
//!
//! Every call is one short transaction at READ COMMITTED; none stays open while a job runs. What a statement takes it locks with
//! SKIP LOCKED, so that daemons never wait for one another's claims.

use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{Executor, PgPool, Statement as _, Transaction};

use crate::dialect::{Dialect, Record, bind};
use crate::sql::SqlStore;
use crate::statement::{self, Statement};
use crate::value::Value;

static MIGRATIONS: Migrator = sqlx::migrate!("../../../migrations/postgres");

/// The oldest server that is supported, as `server_version_num` has it.
const OLDEST: i32 = 150_000;

/// The queue in PostgreSQL.
pub type PostgresStore = SqlStore<Postgres>;

/// The connections to a PostgreSQL server.
#[derive(Clone)]
pub struct Postgres {
    pool: PgPool,
}

/// How to reach the server.
#[derive(Clone)]
pub struct PostgresSettings {
    /// `postgres://user:password@host/database?sslmode=verify-full`. Never shown: it may hold a password.
    pub url: String,
    /// How many connections one daemon takes at most.
    pub connections: u32,
    /// Whether a pooler that hands out a connection for each transaction stands before the server: then nothing is kept on a
    /// connection, neither settings nor prepared statements nor LISTEN.
    pub poll_only: bool,
}

/// Why the server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PostgresOpenError {
    /// The URL is none.
    #[error("the database URL cannot be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE")]
    Url(#[source] sqlx::Error),
    /// Nobody answers, or the server does not let us in.
    #[error("cannot connect to PostgreSQL at {at}: does it run, and may this user use this database?")]
    Connect {
        /// Host, port and database, without the password.
        at: String,
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// The server is older than what is supported.
    #[error("PostgreSQL at {at} has version {found}: Windlass needs 15 or later")]
    TooOld {
        /// Host, port and database.
        at: String,
        /// Its version.
        found: String,
    },
    /// A newer Windlass has changed its schema.
    #[error(
        "the database at {at} was written by a newer Windlass (schema {found}): use that version, or another database"
    )]
    Newer {
        /// Host, port and database.
        at: String,
        /// The number of the newest migration that it has seen.
        found: i64,
    },
    /// Its schema could not be brought to this version's.
    #[error("cannot bring the database at {at} to this version's schema")]
    Migrate {
        /// Host, port and database.
        at: String,
        /// What the driver said.
        #[source]
        source: MigrateError,
    },
}

impl Dialect for Postgres {
    type Db = sqlx::Postgres;

    async fn begin(&self) -> Result<Transaction<'static, sqlx::Postgres>, sqlx::Error> {
        self.pool.begin().await
    }

    async fn reader(&self) -> Result<PoolConnection<sqlx::Postgres>, sqlx::Error> {
        self.pool.acquire().await
    }

    async fn fetch<R: Record>(
        connection: &mut PgConnection,
        statement: Statement,
        values: Vec<Value>,
    ) -> Result<Vec<R>, sqlx::Error> {
        bind!(sqlx::query_as(statement.postgres), values).fetch_all(connection).await
    }

    async fn execute(
        connection: &mut PgConnection,
        statement: Statement,
        values: Vec<Value>,
    ) -> Result<u64, sqlx::Error> {
        Ok(bind!(sqlx::query(statement.postgres), values).execute(connection).await?.rows_affected())
    }
}

impl PostgresStore {
    /// Connects, and brings the schema to this version's. Daemons that start together wait for the first one to do that.
    pub async fn open(settings: &PostgresSettings) -> Result<Self, PostgresOpenError> {
        let options = connect_options(settings)?;
        let at = address(&options);
        let pool = PgPoolOptions::new()
            .max_connections(settings.connections)
            .acquire_timeout(Duration::from_secs(5))
            .connect_with(options)
            .await
            .map_err(|source| PostgresOpenError::Connect { at: at.clone(), source })?;
        let (number, version): (i32, String) =
            sqlx::query_as("SELECT current_setting('server_version_num')::int, current_setting('server_version')")
                .fetch_one(&pool)
                .await
                .map_err(|source| PostgresOpenError::Connect { at: at.clone(), source })?;
        if number < OLDEST {
            return Err(PostgresOpenError::TooOld { at, found: version });
        }
        MIGRATIONS.run(&pool).await.map_err(|source| match source {
            MigrateError::VersionMissing(found) => PostgresOpenError::Newer { at, found },
            source => PostgresOpenError::Migrate { at, source },
        })?;
        Ok(Self { dialect: Postgres { pool } })
    }

    /// Closes all connections. Afterwards every call fails.
    pub async fn close(&self) {
        self.dialect.pool.close().await;
    }

    /// Prepares every statement against the schema, and names the first that does not fit it. For the tests.
    pub async fn prepare_all(&self) -> Result<usize, (&'static str, sqlx::Error)> {
        for statement in statement::ALL {
            let mut connection = self.dialect.pool.acquire().await.map_err(|error| (statement.name, error))?;
            let connection: &mut PgConnection = &mut connection;
            let prepared = connection
                .prepare(sqlx::SqlStr::from_static(statement.postgres))
                .await
                .map_err(|error| (statement.name, error))?;
            debug_assert!(!prepared.sql().as_str().is_empty());
        }
        Ok(statement::ALL.len())
    }

    /// Tables with their columns, constraints, settings and triggers, and indexes, in a fixed order: for the snapshot in the tests.
    pub async fn schema(&self) -> Result<String, sqlx::Error> {
        let rows: Vec<String> = sqlx::query_scalar(SCHEMA).fetch_all(&self.dialect.pool).await?;
        Ok(rows.join("\n"))
    }
}

const SCHEMA: &str = "
    SELECT line FROM (
        SELECT c.relname AS place, 0 AS kind, a.attnum::int AS number,
            format('%s.%s %s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END,
                coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')) AS line
        FROM pg_class c
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
        UNION ALL
        SELECT c.relname, 1, row_number() OVER (PARTITION BY c.oid ORDER BY pg_get_constraintdef(k.oid))::int,
            format('%s: %s', c.relname, pg_get_constraintdef(k.oid))
        FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid
        WHERE c.relnamespace = current_schema()::regnamespace
        UNION ALL
        SELECT tablename, 2, row_number() OVER (PARTITION BY tablename ORDER BY indexname)::int, indexdef
        FROM pg_indexes WHERE schemaname = current_schema()
        UNION ALL
        SELECT c.relname, 3, 1, format('%s: WITH (%s)', c.relname, array_to_string(c.reloptions, ', '))
        FROM pg_class c
        WHERE c.reloptions IS NOT NULL AND c.relnamespace = current_schema()::regnamespace
        UNION ALL
        SELECT c.relname, 4, row_number() OVER (PARTITION BY c.oid ORDER BY t.tgname)::int,
            pg_get_triggerdef(t.oid) || E'\n' || p.prosrc
        FROM pg_class c
        JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
        JOIN pg_proc p ON p.oid = t.tgfoid
        WHERE c.relnamespace = current_schema()::regnamespace
    ) AS parts
    WHERE place <> '_sqlx_migrations'
    ORDER BY place, kind, number";

fn connect_options(settings: &PostgresSettings) -> Result<PgConnectOptions, PostgresOpenError> {
    let options =
        PgConnectOptions::from_str(&settings.url).map_err(PostgresOpenError::Url)?.application_name("windlass");
    if settings.poll_only {
        // A pooler refuses settings at the start of a connection, and prepared statements end up on another one.
        return Ok(options.statement_cache_capacity(0));
    }
    Ok(options.options([
        // A 202 means that the job is on the disk, whatever the server's default.
        ("synchronous_commit", "on"),
        // Compiling a statement takes longer than any of these statements runs.
        ("jit", "off"),
        // Nothing here takes that long; a statement that hangs must not hold its slot for ever.
        ("statement_timeout", "60s"),
        ("lock_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "60s"),
    ]))
}

/// Where it is, for errors: without user and password.
fn address(options: &PgConnectOptions) -> String {
    let place = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    format!("{place}/{}", options.get_database().unwrap_or_default())
}
