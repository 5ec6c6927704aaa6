//! What can keep a measurement from being made.

use std::io;
use std::path::PathBuf;

use windlass_store::{PostgresOpenError, SqliteOpenError, StoreError};

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A flag has a value that means nothing.
    #[error("{flag}: {fault}")]
    Flag {
        /// The flag.
        flag: &'static str,
        /// What is wrong with its value, and which values can be given.
        fault: String,
    },
    /// The component is not where it is looked for.
    #[error(
        "there is no noop.wasm in {}: build it with `cargo xtask plugins`, or name a component with --plugin FILE",
        .searched.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(" or ")
    )]
    NoPlugin {
        /// The folders.
        searched: Vec<PathBuf>,
    },
    /// A file or a process cannot be used.
    #[error("cannot {what}")]
    Io {
        /// What was to be done.
        what: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The daemon did not start, or does not do as it should.
    #[error("the daemon {what}\nits log ends with:\n{log}")]
    Daemon {
        /// What it did.
        what: String,
        /// The end of its log.
        log: String,
    },
    /// A connection to the daemon broke.
    #[error("the daemon does not answer {what}")]
    Connection {
        /// The request.
        what: String,
        /// What the connection said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The daemon refused what it should have done.
    #[error("the daemon answered {what} with {status}: {body}")]
    Refused {
        /// The request.
        what: String,
        /// The status.
        status: u16,
        /// The start of the answer.
        body: String,
    },
    /// The jobs do not go on.
    #[error("for {seconds} seconds no job has ended; {done} of {jobs} have")]
    Stuck {
        /// How long.
        seconds: u64,
        /// How many have completed.
        done: u64,
        /// How many should.
        jobs: u64,
    },
    /// The server makes no database.
    #[error("cannot use the server of --database-url")]
    Postgres(#[source] PostgresOpenError),
    /// The file of the daemon cannot be read.
    #[error("cannot read the daemon's database")]
    Sqlite(#[source] SqliteOpenError),
    /// The database does not say what it is asked.
    #[error("cannot read the books")]
    Books(#[source] StoreError),
}

impl BenchError {
    /// Says of an error of the system what was to be done.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what: what.into(), source }
    }

    /// Says of an error of a connection what was asked.
    pub(crate) fn connection<E>(what: &str) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        move |source| Self::Connection { what: what.to_owned(), source: source.into() }
    }
}
