//! The database under the daemons: what can be done to it, and what it has on record.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use windlass_test_cluster::Cluster;

/// How many connections the server takes. Few, so that they can be used up.
const MAX_CONNECTIONS: &str = "max_connections=40";

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// A file, and one daemon.
    Sqlite,
    /// A server, and three daemons.
    Postgres,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        })
    }
}

/// A database for one round.
pub(crate) enum Database {
    Sqlite(PathBuf),
    Postgres(Box<Cluster>),
}

/// What the database has on record about one job.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) state: String,
    /// How often it was claimed.
    pub(crate) lease: i64,
    /// Its attempts that ended: the lease, and the kind of the error if there was one.
    pub(crate) attempts: Vec<(i64, Option<String>)>,
    /// The states it went through, each with its reason.
    pub(crate) history: Vec<(String, Option<String>)>,
}

/// A connection of a client that is not Windlass.
pub(crate) enum Client {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

type JobRow = (String, String, i64);
type AttemptRow = (String, i64, Option<String>);
type HistoryRow = (String, String, Option<String>);

impl Database {
    /// Makes an empty one. A SQLite file is made in the folder, by the daemon.
    pub(crate) fn create(kind: Kind, folder: &Path) -> Result<Self> {
        Ok(match kind {
            Kind::Sqlite => Self::Sqlite(folder.join("queue.db")),
            Kind::Postgres => Self::Postgres(Box::new(Cluster::start(&[MAX_CONNECTIONS])?)),
        })
    }

    pub(crate) fn url(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(cluster) => cluster.url("postgres"),
        }
    }

    pub(crate) async fn connect(&self) -> Result<Client> {
        Ok(match self {
            Self::Sqlite(path) => {
                Client::Sqlite(SqliteConnectOptions::new().filename(path).read_only(true).connect().await?)
            }
            Self::Postgres(_) => Client::Postgres(PgConnectOptions::from_str(&self.url())?.connect().await?),
        })
    }

    /// The server, to hurt it.
    pub(crate) fn cluster(&mut self) -> Result<&mut Cluster> {
        match self {
            Self::Postgres(cluster) => Ok(cluster),
            Self::Sqlite(_) => anyhow::bail!("SQLite has no server"),
        }
    }

    /// What is on record, by job; ids without their hyphens.
    pub(crate) async fn records(&self) -> Result<BTreeMap<String, Record>> {
        let (jobs, attempts, history) = self.connect().await?.rows().await.context("cannot read the records")?;
        let mut records = BTreeMap::<_, Record>::new();
        for (id, state, lease) in jobs {
            records.insert(id, Record { state, lease, ..Record::default() });
        }
        for (id, lease, error) in attempts {
            records.entry(id).or_default().attempts.push((lease, error));
        }
        for (id, state, reason) in history {
            records.entry(id).or_default().history.push((state, reason));
        }
        Ok(records)
    }
}

impl Client {
    /// Begins to read, and goes on to see the database as it is now.
    pub(crate) async fn hold_snapshot(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(connection) => {
                sqlx::query("BEGIN").execute(&mut *connection).await?;
                sqlx::query("SELECT count(*) FROM jobs").execute(connection).await?;
            }
            Self::Postgres(connection) => {
                sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ").execute(&mut *connection).await?;
                sqlx::query("SELECT count(*) FROM jobs").execute(connection).await?;
            }
        }
        Ok(())
    }

    /// Ends every connection of a daemon, and says how many there were.
    pub(crate) async fn terminate_daemons(&mut self) -> Result<usize> {
        const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name LIKE 'windlass%' AND pid <> pg_backend_pid()";
        match self {
            Self::Postgres(connection) => Ok(sqlx::query(TERMINATE).fetch_all(connection).await?.len()),
            Self::Sqlite(_) => Ok(0),
        }
    }

    async fn rows(self) -> Result<(Vec<JobRow>, Vec<AttemptRow>, Vec<HistoryRow>)> {
        Ok(match self {
            Self::Sqlite(mut connection) => (
                sqlx::query_as("SELECT lower(hex(id)), state, lease FROM jobs").fetch_all(&mut connection).await?,
                sqlx::query_as("SELECT lower(hex(job_id)), lease, error_kind FROM job_attempts ORDER BY job_id, lease")
                    .fetch_all(&mut connection)
                    .await?,
                sqlx::query_as(
                    "SELECT lower(hex(job_id)), state, reason FROM job_history WHERE kind = 'state' ORDER BY job_id, seq",
                )
                .fetch_all(&mut connection)
                .await?,
            ),
            Self::Postgres(mut connection) => (
                sqlx::query_as("SELECT replace(id::text, '-', ''), state, lease FROM jobs")
                    .fetch_all(&mut connection)
                    .await?,
                sqlx::query_as(
                    "SELECT replace(job_id::text, '-', ''), lease, error_kind FROM job_attempts ORDER BY job_id, lease",
                )
                .fetch_all(&mut connection)
                .await?,
                sqlx::query_as(
                    "SELECT replace(job_id::text, '-', ''), state, reason FROM job_history WHERE kind = 'state'
                    ORDER BY job_id, seq",
                )
                .fetch_all(&mut connection)
                .await?,
            ),
        })
    }

    /// Goes away in good order.
    pub(crate) async fn close(self) -> Result<()> {
        match self {
            Self::Sqlite(connection) => connection.close().await?,
            Self::Postgres(connection) => connection.close().await?,
        }
        Ok(())
    }
}
