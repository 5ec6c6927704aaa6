//! The store that the settings name, opened.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use windlass_engine::Stores;
use windlass_store::{PostgresStore, SqliteStore};

use crate::settings::Database;

/// The store that the settings name, opened, its schema brought to this version's.
pub(crate) enum Store {
    /// A file, and what keeps other daemons away from it.
    Sqlite(Arc<SqliteStore>, File),
    /// A server.
    Postgres(Arc<PostgresStore>),
}

impl Store {
    pub(crate) async fn open(database: &Database) -> anyhow::Result<Self> {
        match database {
            Database::Sqlite(path) => {
                let lock = lock_database(path)?;
                Ok(Self::Sqlite(Arc::new(SqliteStore::open(path).await?), lock))
            }
            Database::Postgres(settings) => Ok(Self::Postgres(Arc::new(PostgresStore::open(settings).await?))),
        }
    }

    /// The store as the engine takes it.
    pub(crate) fn seams(&self) -> Stores {
        match self {
            Self::Sqlite(store, _) => Stores::of(store.clone()),
            Self::Postgres(store) => Stores::of(store.clone()),
        }
    }

    /// The folder under `root` for what is kept beside this database. Each has its own: a daemon that is pointed at another database
    /// must not take the artifacts of the one before for those of jobs that are gone.
    pub(crate) async fn folder(&self, root: &Path) -> anyhow::Result<PathBuf> {
        let installation = match self {
            Self::Sqlite(store, _) => store.installation().await?,
            Self::Postgres(store) => store.installation().await?,
        };
        Ok(root.join(installation.simple().to_string()))
    }

    /// Whether no other daemon can be using it.
    pub(crate) fn is_alone(&self) -> bool {
        matches!(self, Self::Sqlite(..))
    }

    /// Closes all connections, and lets others use the file.
    pub(crate) async fn close(self) {
        match self {
            Self::Sqlite(store, lock) => {
                store.close().await;
                drop(lock);
            }
            Self::Postgres(store) => store.close().await,
        }
    }
}

/// Sees to it that one daemon at a time uses the data directory. Given back when the file is closed, also by a crash.
pub(crate) fn lock_data_dir(data_dir: &Path) -> anyhow::Result<File> {
    match lock(&data_dir.join("windlass.lock"))? {
        Some(file) => Ok(file),
        None => bail!("another daemon uses the data directory {}", data_dir.display()),
    }
}

/// The same for a database that may lie elsewhere. By a file beside it: SQLite loses its own locks on a file that somebody else in
/// the process opens and closes (<https://sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_>).
fn lock_database(path: &Path) -> anyhow::Result<File> {
    match lock(&beside(path))? {
        Some(file) => Ok(file),
        None => {
            bail!("another daemon uses the database {}: daemons that share a queue need PostgreSQL", path.display())
        }
    }
}

/// Whether a daemon runs on the data directory. Makes no file, and holds the lock for no longer than the look takes.
pub(crate) fn is_data_dir_in_use(data_dir: &Path) -> anyhow::Result<bool> {
    is_locked(&data_dir.join("windlass.lock"))
}

/// The same for a SQLite file.
pub(crate) fn is_database_in_use(path: &Path) -> anyhow::Result<bool> {
    is_locked(&beside(path))
}

fn is_locked(path: &Path) -> anyhow::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}

/// The lock of a database, whatever name it is opened by. A file that is not there yet has only one.
fn beside(path: &Path) -> PathBuf {
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut beside = real.into_os_string();
    beside.push(".lock");
    beside.into()
}

/// `None` if somebody else has it.
fn lock(path: &Path) -> anyhow::Result<Option<File>> {
    let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
    }
}
