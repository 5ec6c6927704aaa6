//! What can go wrong at a seam.

use sqlx::postgres::PgDatabaseError;

/// The name of the step that begins a transaction.
pub(crate) const BEGIN: &str = "begin";

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
        source: sqlx::Error,
    },
    /// The database refused the statement: repeating it will not help.
    #[error("the database refused `{statement}`")]
    Statement {
        /// Which statement it was.
        statement: &'static str,
        /// What the driver said.
        #[source]
        source: sqlx::Error,
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
        let words = |source: &sqlx::Error| sqlx::Error::Io(std::io::Error::other(source.to_string()));
        match self {
            Self::Unavailable { statement, source } => Self::Unavailable { statement, source: words(source) },
            Self::Statement { statement, source } => Self::Statement { statement, source: words(source) },
            Self::Corrupt { column, found } => Self::Corrupt { column, found: found.clone() },
        }
    }

    /// Sorts what the driver said. `statement` names the `.sql` file.
    pub(crate) fn new(statement: &'static str, source: sqlx::Error) -> Self {
        let passing = match &source {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            // What a connection says that breaks off in the middle of an answer.
            | sqlx::Error::Protocol(_)
            | sqlx::Error::WorkerCrashed => true,
            sqlx::Error::Database(error) => match error.try_downcast_ref::<PgDatabaseError>() {
                Some(error) => is_passing_in_postgres(error.code()),
                None => error.code().is_some_and(|code| is_passing_in_sqlite(&code)),
            },
            _ => false,
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
            sqlx::Error::RowNotFound => true,
            sqlx::Error::Database(error) => {
                // Only PostgreSQL has other writers. 40: rolled back for a deadlock or a conflict.
                let rolled_back =
                    error.try_downcast_ref::<PgDatabaseError>().is_some_and(|e| e.code().starts_with("40"));
                rolled_back || matches!(error.constraint(), Some("jobs_unique" | "jobs_children"))
            }
            _ => false,
        }
    }

    /// What we looked at a moment ago is not there any more.
    pub(crate) const fn raced(statement: &'static str) -> Self {
        Self::Statement { statement, source: sqlx::Error::RowNotFound }
    }

    /// Whether the same call may pass later.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// 5 busy, 6 locked, 10 input or output, 13 full: the low byte of an extended code (<https://sqlite.org/rescode.html>).
fn is_passing_in_sqlite(code: &str) -> bool {
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 10 | 13))
}

/// By class or code (<https://www.postgresql.org/docs/current/errcodes-appendix.html>): connection, rollback by a deadlock or a
/// conflict, resources, a lock or a statement that took too long, a server that starts or stops, its disk. 25: a server that only
/// reads, as one does for a while after a failover, or a transaction that was idle for too long.
fn is_passing_in_postgres(code: &str) -> bool {
    matches!(code.get(..2), Some("08" | "25" | "40" | "53" | "57" | "58")) || code == "55P03"
}
