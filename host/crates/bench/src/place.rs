//! Where a run's jobs are kept: a file, or a database that is made on a server for it.

use std::path::{Path, PathBuf};

use async_trait::async_trait;
use windlass_store::{Janitor, Ledger, PostgresSettings, PostgresStore, ScratchDatabase, SqliteStore};

use crate::BenchError;
use crate::report::say;

/// The file in a data directory.
const FILE: &str = "windlass.db";

/// What is read after a run.
#[async_trait]
pub(crate) trait Books: Ledger + Janitor {
    /// Lets go of the database.
    async fn close(&self);
}

#[async_trait]
impl Books for SqliteStore {
    async fn close(&self) {
        self.close().await;
    }
}

#[async_trait]
impl Books for PostgresStore {
    async fn close(&self) {
        self.close().await;
    }
}

/// Where a run's jobs are kept.
pub(crate) enum Place {
    /// In this data directory.
    File(PathBuf),
    /// In this database. Dropped with it, unless it is to be kept.
    Server { database: ScratchDatabase, is_kept: bool },
}

impl Place {
    /// An empty one; or a copy of another, whose daemons have stopped.
    pub(crate) async fn create(
        data_dir: PathBuf,
        server: Option<&PostgresSettings>,
        like: Option<&Self>,
        is_kept: bool,
    ) -> Result<Self, BenchError> {
        if let Some(server) = server {
            let like = like.and_then(Self::database);
            let database = ScratchDatabase::create(server, like).await.map_err(BenchError::Postgres)?;
            return Ok(Self::Server { database, is_kept });
        }
        if let Some(Self::File(from)) = like {
            copy(from, &data_dir)?;
        }
        Ok(Self::File(data_dir))
    }

    /// The URL for a daemon.
    pub(crate) fn url(&self) -> Option<String> {
        self.database().map(ScratchDatabase::url)
    }

    /// What is told of it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(data_dir) => data_dir.join(FILE).display().to_string(),
            Self::Server { database, .. } => database.name().to_owned(),
        }
    }

    fn database(&self) -> Option<&ScratchDatabase> {
        match self {
            Self::File(_) => None,
            Self::Server { database, .. } => Some(database),
        }
    }

    /// Opens it for reading, beside the daemons; they have made its tables.
    pub(crate) async fn books(&self) -> Result<Box<dyn Books>, BenchError> {
        match self {
            Self::File(data_dir) => {
                Ok(Box::new(SqliteStore::open(&data_dir.join(FILE)).await.map_err(BenchError::Sqlite)?))
            }
            Self::Server { database, .. } => {
                let settings = PostgresSettings { url: database.url(), connections: 2, poll_only: false };
                Ok(Box::new(PostgresStore::open(&settings).await.map_err(BenchError::Postgres)?))
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Self::Server { database, is_kept: false } = self else { return };
        let database = database.clone();
        // This may be the end of a run that was broken off, where nothing can be waited for: so a thread waits.
        let dropping = std::thread::spawn(move || {
            let name = database.name().to_owned();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let dropped = runtime
                .map_err(|error| error.to_string())
                .and_then(|runtime| runtime.block_on(database.drop()).map_err(|error| error.to_string()));
            if let Err(error) = dropped {
                say(&format!("the database {name} stays behind: {error}"));
            }
        });
        let _ = dropping.join();
    }
}

/// The file, and what has not been brought into it from its write-ahead log.
fn copy(from: &Path, to: &Path) -> Result<(), BenchError> {
    std::fs::create_dir_all(to).map_err(BenchError::io(format!("make {}", to.display())))?;
    for suffix in ["", "-wal"] {
        let name = format!("{FILE}{suffix}");
        if from.join(&name).exists() {
            std::fs::copy(from.join(&name), to.join(&name))
                .map_err(BenchError::io(format!("copy {}", from.join(&name).display())))?;
        }
    }
    Ok(())
}
