//! The queue in a SQLite file.
//!
//! SQLite has one writer, so there is one connection that writes, and every transaction on it begins with `IMMEDIATE`: none
//! ever waits for a lock in its middle. Readers have connections of their own and never wait for it (write-ahead log).
//! `synchronous=FULL`: a commit is on the disk when it returns.

mod writer;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteLockingMode, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Executor, SqlitePool, Statement as _};
use uuid::Uuid;
use windlass_model::Timestamp;

use crate::StoreError;
use crate::dialect::{Dialect, Reader, Record, bind};
use crate::facts::{SchemaFact, SqliteFacts};
use crate::seam::{ChangeFeed, Changes};
use crate::sql::SqlStore;
use crate::statement::{self, Statement};
use crate::value::{Input, Value};

use self::writer::{Writer, WriterTx};

const FACTS: &str = include_str!("../../statements/alone/sqlite_facts.sql");
const SCHEMA_VERSION: &str = include_str!("../../statements/alone/schema_version.sql");

static MIGRATIONS: Migrator = sqlx::migrate!("../../../migrations/sqlite");

/// How many connections read at once. Reading is short; more would only take memory.
const READERS: u32 = 4;

/// The queue in a SQLite file.
pub type SqliteStore = SqlStore<Sqlite>;

/// The connections to a SQLite file.
#[derive(Clone)]
pub struct Sqlite {
    writer: Writer,
    readers: SqlitePool,
}

impl Dialect for Sqlite {
    type Db = sqlx::Sqlite;
    const HAS_ONE_WRITER: bool = true;
    type Tx = WriterTx;

    async fn begin(&self) -> Result<WriterTx, sqlx::Error> {
        self.writer.begin().await
    }

    async fn commit(tx: WriterTx) -> Result<(), sqlx::Error> {
        tx.commit().await
    }

    async fn reader(&self) -> Result<Reader<sqlx::Sqlite>, sqlx::Error> {
        self.readers.acquire().await.map(Reader::Connection)
    }

    /// The host's: the file has no other, and to ask it costs as much as the rest of a small transaction.
    async fn clock(&self, _connection: &mut SqliteConnection) -> Result<Timestamp, sqlx::Error> {
        #[expect(clippy::disallowed_methods, reason = "this is the database's clock")]
        let now = SystemTime::now();
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Ok(Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)))
    }

    /// Nobody: a file has one daemon, which knows what it did.
    async fn tell(&self, _connection: &mut SqliteConnection, _changes: Changes) -> Result<(), sqlx::Error> {
        Ok(())
    }

    fn feed(&self) -> Box<dyn ChangeFeed> {
        Box::new(Silence)
    }

    async fn fetch<R: Record>(
        &self,
        connection: &mut SqliteConnection,
        statement: Statement,
        input: Input,
    ) -> Result<Vec<R>, sqlx::Error> {
        let rows = match input {
            Input::Values(values) => {
                return bind!(sqlx::query_as(statement.sqlite), values).fetch_all(connection).await;
            }
            Input::Rows(rows) => rows,
        };
        let mut found = Vec::new();
        for (size, values) in rows.parts() {
            let query = bind!(sqlx::query_as(statement.sqlite_of(size)), values);
            found.extend(query.fetch_all(&mut *connection).await?);
        }
        Ok(found)
    }

    async fn execute(
        &self,
        connection: &mut SqliteConnection,
        statement: Statement,
        input: Input,
    ) -> Result<u64, sqlx::Error> {
        let rows = match input {
            Input::Values(values) => {
                return Ok(bind!(sqlx::query(statement.sqlite), values).execute(connection).await?.rows_affected());
            }
            Input::Rows(rows) => rows,
        };
        let mut changed = 0;
        for (size, values) in rows.parts() {
            let query = bind!(sqlx::query(statement.sqlite_of(size)), values);
            changed += query.execute(&mut *connection).await?.rows_affected();
        }
        Ok(changed)
    }
}

/// There is nobody to hear from.
struct Silence;

#[async_trait]
impl ChangeFeed for Silence {
    async fn next(&mut self) -> Result<Changes, StoreError> {
        std::future::pending().await
    }
}

/// Why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SqliteOpenError {
    /// It cannot be opened or created.
    #[error("cannot open the database {}: is its folder there and writable?", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// It can be read, not written.
    #[error("the database {} is read-only: let the user that runs Windlass write the file and its folder", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// A newer Windlass has changed its schema.
    #[error("the database {} was written by a newer Windlass (schema {found}): use that version, or another file", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The number of the newest migration that it has seen.
        found: i64,
    },
    /// Its schema could not be brought to this version's.
    #[error("cannot bring the database {} to this version's schema", path.display())]
    Migrate {
        /// The file.
        path: PathBuf,
        /// What the driver said.
        #[source]
        source: MigrateError,
    },
}

impl SqliteStore {
    /// Opens the file, creates it if it is not there, and brings its schema to this version's.
    pub async fn open(path: &Path) -> Result<Self, SqliteOpenError> {
        let open_error = |source| match is_read_only(&source) {
            true => SqliteOpenError::ReadOnly { path: path.to_owned() },
            false => SqliteOpenError::Open { path: path.to_owned(), source },
        };
        let options = options(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // 1,000 pages gave the shortest tail of the sizes that were measured; 10,000 gave pauses of 40 to 60 ms.
            .pragma("wal_autocheckpoint", "1000")
            // In KiB. A transaction of a thousand jobs does not fit into the 2 MiB that are usual, and would be written twice.
            .pragma("cache_size", "-32768")
            .pragma("journal_size_limit", "67108864")
            // What a statement sets aside while it runs is small, and no file is quicker for it.
            .pragma("temp_store", "MEMORY");
        let mut first = options.connect().await.map_err(open_error)?;
        MIGRATIONS.run(&mut first).await.map_err(|source| match source {
            MigrateError::VersionMissing(found) => SqliteOpenError::Newer { path: path.to_owned(), found },
            source if is_read_only(&source) => SqliteOpenError::ReadOnly { path: path.to_owned() },
            source => SqliteOpenError::Migrate { path: path.to_owned(), source },
        })?;
        let readers = pool(READERS)
            .connect_with(options.clone().read_only(true).pragma("cache_size", "-4096"))
            .await
            .map_err(open_error)?;
        let dialect = Sqlite { writer: Writer::new(first, options), readers };
        // A file of this version's schema opens without a write: a statement that changes nothing tells whether one is possible.
        let mut tx = dialect.begin().await.map_err(open_error)?;
        dialect
            .execute(&mut tx, statement::worker_remove, vec![Value::from(Uuid::nil())].into())
            .await
            .map_err(open_error)?;
        drop(tx);
        Ok(Self::on(dialect))
    }

    /// Opens the file for reading alone, asks, and changes nothing. A large file takes a while: each of its pages is looked at.
    pub async fn examine(path: &Path) -> Result<SqliteFacts, SqliteOpenError> {
        let open_error = |source| SqliteOpenError::Open { path: path.to_owned(), source };
        let mut connection = options(path).read_only(true).connect().await.map_err(open_error)?;
        let facts = ask(&mut connection).await;
        let _ = connection.close().await;
        facts.map_err(open_error)
    }

    /// Closes all connections. Afterwards every call fails.
    pub async fn close(&self) {
        self.dialect.readers.close().await;
        self.dialect.writer.close().await;
    }

    /// Prepares every statement against the schema, and names the first that does not fit it. For the tests.
    pub async fn prepare_all(&self) -> Result<usize, (&'static str, sqlx::Error)> {
        for statement in statement::ALL {
            let mut tx = self.dialect.begin().await.map_err(|error| (statement.name, error))?;
            let connection: &mut SqliteConnection = &mut tx;
            let prepared = connection
                .prepare(sqlx::SqlStr::from_static(statement.sqlite))
                .await
                .map_err(|error| (statement.name, error))?;
            debug_assert!(!prepared.sql().as_str().is_empty());
        }
        Ok(statement::ALL.len())
    }

    /// The schema as SQLite keeps it, sorted: for the snapshot in the tests.
    pub async fn schema(&self) -> Result<String, sqlx::Error> {
        let rows: Vec<String> = sqlx::query_scalar(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE '\\_sqlx%' ESCAPE '\\' ORDER BY type DESC, name",
        )
        .fetch_all(&self.dialect.readers)
        .await?;
        Ok(rows.join(";\n\n"))
    }
}

/// What all connections have, also one that only looks.
fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Full)
        .locking_mode(SqliteLockingMode::Normal)
        .busy_timeout(Duration::from_secs(5))
        // All of ours, and those that take many rows in each of their sizes.
        .statement_cache_capacity(256)
        // Rows wait for their reader here: with little room the two threads would wake each other for every few of them.
        .row_buffer_size(1_024)
}

async fn ask(connection: &mut SqliteConnection) -> Result<SqliteFacts, sqlx::Error> {
    let (version, has_schema): (String, bool) = sqlx::query_as(FACTS).fetch_one(&mut *connection).await?;
    let found = match has_schema {
        true => sqlx::query_scalar(SCHEMA_VERSION).fetch_one(&mut *connection).await?,
        false => None,
    };
    let journal_mode = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
    // 2 is FULL, and more is EXTRA (<https://sqlite.org/pragma.html#pragma_synchronous>).
    let synchronous: i64 = sqlx::query_scalar("PRAGMA synchronous").fetch_one(&mut *connection).await?;
    let checked: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(connection).await?;
    Ok(SqliteFacts {
        version,
        journal_mode,
        is_synchronous: synchronous >= 2,
        damage: (checked != "ok").then_some(checked),
        schema: SchemaFact::new(found, &MIGRATIONS),
    })
}

/// Whether SQLite said that it may not write: the low byte of an extended code is 8 (<https://sqlite.org/rescode.html#readonly>).
fn is_read_only(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| match cause.downcast_ref::<sqlx::Error>() {
        Some(sqlx::Error::Database(error)) => {
            error.code().and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 8)
        }
        _ => false,
    })
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .min_connections(connections)
        // Neither age nor leisure is a reason to close a connection to a file.
        .max_lifetime(None)
        .idle_timeout(None)
        .test_before_acquire(false)
}
