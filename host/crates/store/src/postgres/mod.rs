//! The queue in PostgreSQL, for many daemons on many hosts.
//!
//! Every call is one short transaction at READ COMMITTED; none stays open while a job runs. What a statement takes it locks with
//! SKIP LOCKED, so that daemons never wait for one another's claims.

mod connect;
mod examine;
mod feed;
mod reader;
mod scratch;

use std::borrow::Cow;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{Connection as _, Executor, PgPool, Statement as _, Transaction};

use windlass_model::Timestamp;

use crate::dialect::Dialect;
use crate::error::DriverError;
use crate::record::Record;
use crate::seam::{ChangeFeed, Changes};
use crate::sql::SqlStore;
use crate::statement::{self, Statement};
use crate::value::{Column, Input, Time, Value};

use self::reader::Reader;

use self::feed::PostgresFeed;

pub use self::connect::{PostgresOpenError, PostgresSettings};
pub use self::scratch::ScratchDatabase;

const CLOCK: &str = include_str!("../../statements/alone/postgres_clock.sql");
const NOTIFY: &str = include_str!("../../statements/alone/postgres_notify.sql");
const MIGRATION_LOCK: &str = include_str!("../../statements/alone/postgres_migration_lock.sql");

static MIGRATIONS: Migrator = sqlx::migrate!("../../../migrations/postgres");

/// The queue in PostgreSQL.
pub type PostgresStore = SqlStore<Postgres>;

/// The connections to a PostgreSQL server.
#[derive(Clone)]
pub struct Postgres {
    pool: PgPool,
    /// How to connect for listening; `None` behind a pooler, where nobody listens and nobody is told.
    listening: Option<PgConnectOptions>,
}

impl Postgres {
    /// Whether a connection to the server stays the same from one transaction to the next. Otherwise no statement has a name on it,
    /// and what belongs together stands in a transaction: the driver prepares a statement and runs it in two steps.
    fn keeps_connections(&self) -> bool {
        self.listening.is_some()
    }
}

macro_rules! bind {
    ($query:expr, $values:expr) => {
        $values.into_iter().fold($query, |query, value| match value {
            Value::Id(id) => query.bind(id),
            Value::Int(number) => query.bind(number),
            Value::Text(text) => query.bind(text),
            Value::Time(time) => query.bind(time),
            Value::Bytes(bytes) => query.bind(bytes),
        })
    };
}

macro_rules! bind_columns {
    ($query:expr, $columns:expr) => {
        $columns.into_iter().fold($query, |query, column| match column {
            Column::Ids(ids) => query.bind(ids),
            Column::Ints(numbers) => query.bind(numbers),
            Column::Texts(texts) => query.bind(texts),
            Column::Times(times) => query.bind(times),
        })
    };
}

impl Dialect for Postgres {
    type Connection = PgConnection;
    const HAS_ONE_WRITER: bool = false;
    type Tx = Transaction<'static, sqlx::Postgres>;
    type Reader = Reader;

    async fn begin(&self) -> Result<Self::Tx, DriverError> {
        Ok(self.pool.begin().await?)
    }

    async fn commit(tx: Self::Tx) -> Result<(), DriverError> {
        Ok(tx.commit().await?)
    }

    async fn reader(&self) -> Result<Reader, DriverError> {
        Ok(match self.keeps_connections() {
            true => Reader::Connection(self.pool.acquire().await?),
            false => Reader::Transaction(self.pool.begin().await?),
        })
    }

    fn serve(&self, work: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(work);
    }

    async fn clock(&self, connection: &mut PgConnection) -> Result<Timestamp, DriverError> {
        let query = sqlx::query_scalar(CLOCK).persistent(self.keeps_connections());
        let Time(now) = query.fetch_one(connection).await?;
        Ok(now)
    }

    async fn tell(&self, connection: &mut PgConnection, changes: Changes) -> Result<(), DriverError> {
        if self.listening.is_some() && changes != Changes::default() {
            sqlx::query(NOTIFY).bind(changes.letters()).execute(connection).await?;
        }
        Ok(())
    }

    fn feed(&self) -> Box<dyn ChangeFeed> {
        Box::new(PostgresFeed::new(self.listening.clone()))
    }

    async fn fetch<R: Record>(
        &self,
        connection: &mut PgConnection,
        statement: Statement,
        input: Input,
    ) -> Result<Vec<R>, DriverError> {
        let query = sqlx::query_as(statement.postgres).persistent(self.keeps_connections());
        Ok(match input {
            Input::Values(values) => bind!(query, values).fetch_all(connection).await?,
            Input::Rows(rows) if rows.is_empty() => Vec::new(),
            Input::Rows(rows) => bind_columns!(query, rows.columns()).fetch_all(connection).await?,
        })
    }

    async fn execute(
        &self,
        connection: &mut PgConnection,
        statement: Statement,
        input: Input,
    ) -> Result<u64, DriverError> {
        let query = sqlx::query(statement.postgres).persistent(self.keeps_connections());
        let done = match input {
            Input::Values(values) => bind!(query, values).execute(connection).await?,
            Input::Rows(rows) if rows.is_empty() => return Ok(0),
            Input::Rows(rows) => bind_columns!(query, rows.columns()).execute(connection).await?,
        };
        Ok(done.rows_affected())
    }
}

impl PostgresStore {
    /// Connects, and brings the schema to this version's. Daemons that start together wait for the first one to do that.
    pub async fn open(settings: &PostgresSettings) -> Result<Self, PostgresOpenError> {
        let options = settings.options()?;
        let at = connect::address(&options);
        // Apart from the pool, which would try again and in the end only say that it took too long.
        let mut first = connect::connect(&settings.patient_options()?).await?;
        let migrated = migrate(&mut first).await;
        let _ = first.close().await;
        migrated.map_err(|source| match source {
            MigrateError::VersionMissing(found) => PostgresOpenError::Newer { at, found },
            source => PostgresOpenError::Migrate { at, source },
        })?;
        let pool = PgPoolOptions::new()
            .max_connections(settings.pooled())
            .acquire_timeout(Duration::from_secs(5))
            .connect_lazy_with(options.clone());
        Ok(Self::on(Postgres { pool, listening: (!settings.poll_only).then_some(options) }))
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

/// In one transaction with its lock: behind a pooler a lock of the session would stay on a connection that somebody else gets next.
async fn migrate(connection: &mut PgConnection) -> Result<(), MigrateError> {
    let unlocked = Migrator { migrations: Cow::Borrowed(&MIGRATIONS.migrations), locking: false, ..Migrator::DEFAULT };
    let mut tx = connection.begin().await?;
    sqlx::raw_sql(MIGRATION_LOCK).execute(&mut *tx).await?;
    let migrated = unlocked.run(&mut *tx).await;
    // The migrator's have names, which the next daemon's migrator gives again.
    tx.clear_cached_statements().await?;
    migrated?;
    Ok(tx.commit().await?)
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
