//! What can go wrong at a seam.

use rusqlite::ErrorCode;
use sqlx::postgres::PgDatabaseError;

/// The name of the step that begins a transaction.
pub(crate) const BEGIN: &str = "begin";

/// What a driver said.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// PostgreSQL's, and the one that migrates both databases.
    #[error(transparent)]
    Sqlx(#[from] sqlx::Error),
    /// SQLite's.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A row that was there a moment ago is not there any more.
    #[error("a row went away meanwhile")]
    Gone,
    /// The connection went down with what it did, or was closed.
    #[error("the connection is closed")]
    Closed,
    /// The words of an error that several calls share.
    #[error("{0}")]
    Shared(String),
}

/// A database said no.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, is busy for too long or has no room: the same call may pass later.
    #[error("the database is not available for `{statement}`")]
    Unavailable {
        /// Which statement it was.
        statement: &'static str,
        /// What the driver said.
        #[source]
        source: DriverError,
    },
    /// The database refused the statement: repeating it will not help.
    #[error("the database refused `{statement}`")]
    Statement {
        /// Which statement it was.
        statement: &'static str,
        /// What the driver said.
        #[source]
        source: DriverError,
    },
    /// A row holds what this version cannot have written.
    #[error("the database holds a value in `{column}` that this version does not understand: {found}")]
    Corrupt {
        /// The column.
        column: &'static str,
        /// What stands there.
        found: String,
    },
}

impl StoreError {
    /// The same for another call that shared its transaction: a driver's error cannot be copied, so its words are.
    pub(crate) fn twin(&self) -> Self {
        let words = |source: &DriverError| DriverError::Shared(source.to_string());
        match self {
            Self::Unavailable { statement, source } => Self::Unavailable { statement, source: words(source) },
            Self::Statement { statement, source } => Self::Statement { statement, source: words(source) },
            Self::Corrupt { column, found } => Self::Corrupt { column, found: found.clone() },
        }
    }

    /// Sorts what the driver said. `statement` names the `.sql` file.
    pub(crate) fn new(statement: &'static str, source: impl Into<DriverError>) -> Self {
        let source = source.into();
        let passing = match &source {
            DriverError::Sqlx(error) => is_passing_in_postgres(error),
            DriverError::Sqlite(error) => error.sqlite_error().is_some_and(is_passing_in_sqlite),
            DriverError::Closed => true,
            DriverError::Gone | DriverError::Shared(_) => false,
        };
        // What stands in a transaction cannot be why it does not begin.
        if passing || statement == BEGIN {
            Self::Unavailable { statement, source }
        } else {
            Self::Statement { statement, source }
        }
    }

    /// Whether somebody else wrote between our look and our write: the same transaction passes when it is begun again.
    pub(crate) fn is_race(&self) -> bool {
        let (Self::Unavailable { source, .. } | Self::Statement { source, .. }) = self else { return false };
        match source {
            DriverError::Gone => true,
            // Only PostgreSQL has other writers. 40: rolled back for a deadlock or a conflict.
            DriverError::Sqlx(sqlx::Error::Database(error)) => {
                let rolled_back =
                    error.try_downcast_ref::<PgDatabaseError>().is_some_and(|e| e.code().starts_with("40"));
                rolled_back || matches!(error.constraint(), Some("jobs_unique" | "jobs_children"))
            }
            _ => false,
        }
    }

    /// What we looked at a moment ago is not there any more.
    pub(crate) const fn raced(statement: &'static str) -> Self {
        Self::Statement { statement, source: DriverError::Gone }
    }

    /// Whether the same call may pass later.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// Busy, locked, input or output, full (<https://sqlite.org/rescode.html>).
const fn is_passing_in_sqlite(error: &rusqlite::ffi::Error) -> bool {
    matches!(
        error.code,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::SystemIoFailure | ErrorCode::DiskFull
    )
}

/// What a lost connection says, also in the middle of an answer; and by class or code
/// (<https://www.postgresql.org/docs/current/errcodes-appendix.html>): connection, rollback by a deadlock or a conflict, resources, a lock
/// or a statement that took too long, a server that starts or stops, its disk. 25: a server that only reads, as one does for a while after
/// a failover, or a transaction that was idle for too long.
fn is_passing_in_postgres(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::Protocol(_)
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| {
            matches!(code.get(..2), Some("08" | "25" | "40" | "53" | "57" | "58")) || code == "55P03"
        }),
        _ => false,
    }
}
