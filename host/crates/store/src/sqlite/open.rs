//! Opens a file, or looks at one, and says in plain words why it cannot be used.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};
use uuid::Uuid;

use super::connection::Connections;
use super::{Sqlite, SqliteStore, parts};
use crate::dialect::Dialect as _;
use crate::error::DriverError;
use crate::facts::{SchemaFact, SqliteFacts};
use crate::statement;
use crate::value::Value;

const FACTS: &str = include_str!("../../statements/alone/sqlite_facts.sql");
const SCHEMA_VERSION: &str = include_str!("../../statements/alone/schema_version.sql");

static MIGRATIONS: Migrator = sqlx::migrate!("../../../migrations/sqlite");

/// How many connections read at once. Reading is short; more would only take memory.
const READERS: u32 = 4;

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
        source: DriverError,
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
        let open_error = |source: DriverError| match is_read_only(&source) {
            true => SqliteOpenError::ReadOnly { path: path.to_owned() },
            false => SqliteOpenError::Open { path: path.to_owned(), source },
        };
        let mut first = migrating(path).connect().await.map_err(|source| open_error(source.into()))?;
        let migrated = MIGRATIONS.run(&mut first).await;
        let _ = first.close().await;
        migrated.map_err(|source| match source {
            MigrateError::VersionMissing(found) => SqliteOpenError::Newer { path: path.to_owned(), found },
            source if is_read_only(&source) => SqliteOpenError::ReadOnly { path: path.to_owned() },
            source => SqliteOpenError::Migrate { path: path.to_owned(), source },
        })?;
        let (writing, reading) = (path.to_owned(), path.to_owned());
        let dialect = Sqlite {
            writer: Connections::new(1, move || to_write(&writing)),
            readers: Connections::new(READERS, move || to_read(&reading)),
        };
        // A file of this version's schema opens without a write: a statement that changes nothing tells whether one is possible.
        let mut tx = dialect.begin().await.map_err(open_error)?;
        let values = vec![Value::from(Uuid::nil())];
        dialect.execute(&mut tx, statement::worker_remove, values.into()).await.map_err(open_error)?;
        drop(tx);
        Ok(Self::on(dialect))
    }

    /// Opens the file for reading alone, asks, and changes nothing. A large file takes a while: each of its pages is looked at.
    pub async fn examine(path: &Path) -> Result<SqliteFacts, SqliteOpenError> {
        let file = path.to_owned();
        let facts = tokio::task::spawn_blocking(move || ask(&to_read(&file)?)).await;
        let facts = facts.unwrap_or(Err(rusqlite::Error::InvalidQuery));
        facts.map_err(|source| SqliteOpenError::Open { path: path.to_owned(), source: source.into() })
    }

    /// Closes all connections. Afterwards every call fails.
    pub async fn close(&self) {
        self.dialect.readers.close().await;
        self.dialect.writer.close().await;
    }

    /// Prepares every statement against the schema, and names the first that does not fit it. For the tests.
    pub async fn prepare_all(&self) -> Result<usize, (&'static str, DriverError)> {
        for statement in statement::ALL {
            let fault = |error| (statement.name, error);
            let mut connection = self.dialect.writer.take().await.map_err(fault)?;
            let prepare = |raw: &Connection| parts(statement.sqlite).try_for_each(|part| raw.prepare(part).map(drop));
            connection.run(prepare).await.map_err(fault)?;
        }
        Ok(statement::ALL.len())
    }

    /// The schema as SQLite keeps it, sorted: for the snapshot in the tests.
    pub async fn schema(&self) -> Result<String, DriverError> {
        let read = |raw: &rusqlite::Connection| {
            let mut statement = raw.prepare(SCHEMA)?;
            statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()
        };
        let rows = self.dialect.readers.take().await?.run(read).await?;
        Ok(rows.join(";\n\n"))
    }
}

const SCHEMA: &str = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'
    ORDER BY type DESC, name";

/// How long SQLite waits for a lock. Nobody but a person with another program holds one for long.
const BUSY: Duration = Duration::from_secs(5);

/// The connection that brings the schema to this version's, by the same library that does it for PostgreSQL.
fn migrating(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY)
}

fn to_write(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // 1,000 pages gave the shortest tail of the sizes that were measured; 10,000 gave pauses of 40 to 60 ms.
    connection.pragma_update(None, "wal_autocheckpoint", 1_000)?;
    // In KiB. A transaction of a thousand jobs does not fit into the 2 MiB that are usual, and would be written twice; and many a commit
    // looks at each page of it once.
    connection.pragma_update(None, "cache_size", -8_192)?;
    connection.pragma_update(None, "journal_size_limit", 67_108_864)?;
    // What a statement sets aside while it runs is small, and no file is quicker for it.
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    Ok(connection)
}

fn to_read(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.pragma_update(None, "cache_size", -4_096)?;
    Ok(connection)
}

fn connect(path: &Path, access: OpenFlags) -> rusqlite::Result<Connection> {
    // No lock of its own for each connection: each is used by one thread at a time.
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // A plan that does not depend on the values: otherwise a statement with a LIMIT is prepared again for each other one.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // All of ours, and those that take many rows in each of their sizes.
    connection.set_prepared_statement_cache_capacity(256);
    Ok(connection)
}

fn ask(connection: &Connection) -> rusqlite::Result<SqliteFacts> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, String>(0));
    let (version, has_schema) = connection.query_row(FACTS, [], |row| Ok((row.get(0)?, row.get::<_, bool>(1)?)))?;
    let found = match has_schema {
        true => connection.query_row(SCHEMA_VERSION, [], |row| row.get(0))?,
        false => None,
    };
    // 2 is FULL, and more is EXTRA (<https://sqlite.org/pragma.html#pragma_synchronous>).
    let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
    let checked = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0))?;
    Ok(SqliteFacts {
        version,
        journal_mode: pragma("journal_mode")?,
        is_synchronous: synchronous >= 2,
        damage: (checked != "ok").then_some(checked),
        schema: SchemaFact::new(found, &MIGRATIONS),
    })
}

/// Whether SQLite said that it may not write. As the low byte of an extended code that is 8 (<https://sqlite.org/rescode.html#readonly>).
fn is_read_only(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| {
        let driver = cause.downcast_ref::<DriverError>();
        let migrator = cause.downcast_ref::<sqlx::Error>().or(match driver {
            Some(DriverError::Sqlx(error)) => Some(error),
            _ => None,
        });
        match (driver, migrator) {
            (Some(DriverError::Sqlite(error)), _) => error.sqlite_error_code() == Some(ErrorCode::ReadOnly),
            (_, Some(sqlx::Error::Database(error))) => {
                error.code().and_then(|code| code.parse::<u32>().ok()).is_some_and(|code| code & 0xff == 8)
            }
            _ => false,
        }
    })
}
