//! The way to a server: its URL, the first connection, and what can be wrong with either.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::time::Duration;

use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _};

/// The oldest server that is supported, as `server_version_num` has it.
const OLDEST: u32 = 150_000;

/// How long the first connection may take: a network that swallows everything would hold up the start for minutes.
const PATIENCE: Duration = Duration::from_secs(10);

/// What may stand behind the `?` of a URL. The driver ignores everything else, and writes it to the log.
const PARAMETERS: [&str; 11] = [
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "user",
];

/// How to reach the server.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresSettings {
    /// `postgres://user:password@host/database?sslmode=verify-full`. Never shown: it may hold a password.
    pub url: String,
    /// How many connections one daemon takes at most, 2 or more: one of them listens, unless `poll_only`.
    pub connections: u32,
    /// Whether a pooler that hands out a connection for each transaction stands before the server: then nothing is kept on a
    /// connection, neither settings nor prepared statements nor LISTEN.
    pub poll_only: bool,
}

/// Why the server cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PostgresOpenError {
    /// The URL is none.
    #[error(
        "it cannot be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with each special character of the password as %XX"
    )]
    Url(#[source] sqlx::Error),
    /// The URL has a parameter that means nothing.
    // Which one is not said: behind a stray `?` in a password it would be a part of that.
    #[error("it has a parameter that is not known: there are {} and options[NAME]", PARAMETERS.join(", "))]
    Parameter,
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
    /// It lets us in but does not say what it is asked.
    #[error("PostgreSQL at {at} does not say how it is set")]
    Examine {
        /// Host, port and database.
        at: String,
        /// What the driver said.
        #[source]
        source: sqlx::Error,
    },
    /// It lets us in but makes no database for us.
    #[error("PostgreSQL at {at} makes no database: give a user that has the right to, CREATE ROLE … CREATEDB")]
    Scratch {
        /// Host, port and database.
        at: String,
        /// What the driver said.
        #[source]
        source: sqlx::Error,
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

impl PostgresSettings {
    /// Whether the URL can be used, without a look at the server.
    pub fn check(&self) -> Result<(), PostgresOpenError> {
        self.options().map(drop)
    }

    /// How many connections run statements.
    pub(super) fn pooled(&self) -> u32 {
        if self.poll_only { self.connections } else { self.connections.saturating_sub(1) }.max(1)
    }

    pub(super) fn options(&self) -> Result<PgConnectOptions, PostgresOpenError> {
        let query = self.url.split_once('?').map_or("", |(_, query)| query);
        let names = query.split('&').filter(|pair| !pair.is_empty()).filter_map(|pair| pair.split('=').next());
        if !names.into_iter().all(|name| PARAMETERS.contains(&name) || name.starts_with("options[")) {
            return Err(PostgresOpenError::Parameter);
        }
        let options =
            PgConnectOptions::from_str(&self.url).map_err(PostgresOpenError::Url)?.application_name("windlass");
        if self.poll_only {
            // A pooler refuses settings at the start of a connection, also the one that the driver would add.
            return Ok(options.extra_float_digits(None));
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

    /// The same for bringing the schema up: a large table takes its time, and so does waiting for the daemon that began first.
    pub(super) fn patient_options(&self) -> Result<PgConnectOptions, PostgresOpenError> {
        let options = self.options()?;
        // Of two settings of the same name the later one counts.
        Ok(if self.poll_only { options } else { options.options([("statement_timeout", "0"), ("lock_timeout", "0")]) })
    }
}

impl fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url: _, connections, poll_only } = self;
        f.debug_struct("PostgresSettings")
            .field("connections", connections)
            .field("poll_only", poll_only)
            .finish_non_exhaustive()
    }
}

/// Makes one connection, and sees to it that the server is new enough.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, PostgresOpenError> {
    let at = address(options);
    let connecting = tokio::time::timeout(PATIENCE, options.connect()).await;
    let connected = connecting.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()));
    let connection = connected.map_err(|source| PostgresOpenError::Connect { at: at.clone(), source })?;
    match connection.server_version_num() {
        Some(found) if found >= OLDEST => Ok(connection),
        found => {
            let _ = connection.close().await;
            Err(PostgresOpenError::TooOld { at, found: found.map_or_else(|| "unknown".to_owned(), version) })
        }
    }
}

/// A version as people write it: 14.9 for 140009.
pub(super) fn version(number: u32) -> String {
    format!("{}.{}", number / 10_000, number % 10_000)
}

/// Where it is, for errors: without user and password.
pub(super) fn address(options: &PgConnectOptions) -> String {
    let place = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    format!("{place}/{}", options.get_database().unwrap_or_default())
}
