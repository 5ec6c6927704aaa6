//! The one connection that writes, and its transactions.
//!
//! No pool: a pool asks a connection that comes back whether it is well, and the next transaction would wait for the answer as long
//! as for a small statement.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::ConnectOptions as _;
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// The connection, for one transaction at a time. Cheap to clone.
#[derive(Clone)]
pub(super) struct Writer(Arc<Mutex<State>>);

struct State {
    /// Absent after a fault of the connection itself, until the next transaction opens another; and for good when it is closed.
    connection: Option<SqliteConnection>,
    options: SqliteConnectOptions,
    is_closed: bool,
    /// Whether a transaction was begun that is not known to have ended.
    is_open: bool,
}

/// A transaction that holds the connection. Dropped without a commit it is rolled back in the background, before the next begins.
pub(crate) struct WriterTx(Option<OwnedMutexGuard<State>>);

impl Writer {
    pub(super) fn new(connection: SqliteConnection, options: SqliteConnectOptions) -> Self {
        let connection = Some(connection);
        Self(Arc::new(Mutex::new(State { connection, options, is_closed: false, is_open: false })))
    }

    /// Waits for its turn.
    pub(super) async fn begin(&self) -> Result<WriterTx, sqlx::Error> {
        let mut state = Arc::clone(&self.0).lock_owned().await;
        if state.is_closed {
            return Err(sqlx::Error::PoolClosed);
        }
        let mut connection = match state.connection.take() {
            Some(connection) => connection,
            None => state.options.connect().await?,
        };
        if std::mem::take(&mut state.is_open) {
            roll_back(&mut connection).await;
        }
        // A connection that cannot begin is dropped, and the next transaction has another.
        sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await?;
        (state.connection, state.is_open) = (Some(connection), true);
        Ok(WriterTx(Some(state)))
    }

    /// Closes the connection. Afterwards no transaction begins.
    pub(super) async fn close(&self) {
        let mut state = self.0.lock().await;
        state.is_closed = true;
        if let Some(connection) = state.connection.take() {
            // What a dropped transaction left is rolled back with it.
            let _ = connection.close().await;
        }
    }
}

/// It may be over already: when the disk is full SQLite ends a transaction by itself.
async fn roll_back(connection: &mut SqliteConnection) {
    let _ = sqlx::query("ROLLBACK").execute(connection).await;
}

impl WriterTx {
    /// Makes it durable.
    pub(super) async fn commit(mut self) -> Result<(), sqlx::Error> {
        sqlx::query("COMMIT").execute(&mut *self).await?;
        if let Some(mut state) = self.0.take() {
            state.is_open = false;
        }
        Ok(())
    }
}

impl Drop for WriterTx {
    fn drop(&mut self) {
        let (Some(mut state), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) else { return };
        runtime.spawn(async move {
            if let Some(connection) = &mut state.connection {
                roll_back(connection).await;
                state.is_open = false;
            }
        });
    }
}

impl Deref for WriterTx {
    type Target = SqliteConnection;

    #[expect(clippy::expect_used, reason = "a transaction is made with its connection, and has it until it ends")]
    fn deref(&self) -> &SqliteConnection {
        self.0.as_ref().and_then(|state| state.connection.as_ref()).expect("a transaction has a connection")
    }
}

impl DerefMut for WriterTx {
    #[expect(clippy::expect_used, reason = "a transaction is made with its connection, and has it until it ends")]
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.0.as_mut().and_then(|state| state.connection.as_mut()).expect("a transaction has a connection")
    }
}

#[cfg(test)]
mod tests {
    use crate::SqliteStore;
    use crate::dialect::Dialect as _;

    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_by_itself_does_not_stop_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("queue.db")).await.unwrap();
        for _ in 0..3 {
            let mut tx = store.dialect.begin().await.unwrap();
            // As SQLite does when there is no room for what is to be committed.
            sqlx::query("ROLLBACK").execute(&mut *tx).await.unwrap();
            drop(tx);
        }
        let tx = store.dialect.begin().await.unwrap();
        tx.commit().await.unwrap();
    }

    #[tokio::test]
    async fn of_a_transaction_that_is_dropped_nothing_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("queue.db")).await.unwrap();
        let mut tx = store.dialect.begin().await.unwrap();
        sqlx::query("INSERT INTO queues (name) VALUES ('lost')").execute(&mut *tx).await.unwrap();
        drop(tx);
        let mut tx = store.dialect.begin().await.unwrap();
        let kept: i64 = sqlx::query_scalar("SELECT count(*) FROM queues").fetch_one(&mut *tx).await.unwrap();
        assert_eq!(kept, 0);
        drop(tx);
        store.close().await;
    }
}
