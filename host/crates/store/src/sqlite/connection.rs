//! Connections to the file, and where their statements run.
//!
//! SQLite answers on the thread that asks, and a disk may take its time: so no statement runs on a thread that serves others. One that
//! comes from there is handed to another thread and back, which costs two wake-ups; work that is all about the file is handed over as
//! a whole, and its statements then run where they stand.

use std::cell::Cell;
use std::future::Future;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::DriverError;

thread_local! {
    /// Whether this thread serves nobody else while it waits for the disk.
    static MAY_BLOCK: Cell<bool> = const { Cell::new(false) };
}

/// Has work done on a thread of its own, statements and all.
pub(super) fn serve(work: impl Future<Output = ()> + Send + 'static) {
    let runtime = Handle::current();
    drop(tokio::task::spawn_blocking(move || alone(|| runtime.block_on(work))));
}

/// On a thread that the runtime lends for as long as this takes.
fn alone<T>(work: impl FnOnce() -> T) -> T {
    /// Also after a panic: the runtime lends the thread again.
    struct Served(bool);
    impl Drop for Served {
        fn drop(&mut self) {
            MAY_BLOCK.set(self.0);
        }
    }
    let _served = Served(MAY_BLOCK.replace(true));
    work()
}

/// Connections of one kind, so many at most. Cheap to clone.
#[derive(Clone)]
pub(super) struct Connections(Arc<Inner>);

struct Inner {
    open: Box<dyn Fn() -> rusqlite::Result<rusqlite::Connection> + Send + Sync>,
    idle: Mutex<Vec<rusqlite::Connection>>,
    most: u32,
    room: Arc<Semaphore>,
}

impl Inner {
    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<rusqlite::Connection>> {
        // A list is whole after every step, so a panic elsewhere does not spoil it.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connections {
    pub(super) fn new(
        most: u32,
        open: impl Fn() -> rusqlite::Result<rusqlite::Connection> + Send + Sync + 'static,
    ) -> Self {
        let room = Arc::new(Semaphore::new(most as usize));
        Self(Arc::new(Inner { open: Box::new(open), idle: Mutex::default(), most, room }))
    }

    /// Waits for its turn.
    pub(super) async fn take(&self) -> Result<Lent, DriverError> {
        let permit = Arc::clone(&self.0.room).acquire_owned().await.map_err(|_| DriverError::Closed)?;
        // If there is none it is opened with its first statement.
        let raw = self.0.idle().pop();
        Ok(Lent(Connection(Some(Loan { raw, from: Arc::clone(&self.0), permit: Some(permit) }))))
    }

    /// Waits until all are back, and closes them. Afterwards none is lent.
    pub(super) async fn close(&self) {
        let all = self.0.room.acquire_many(self.0.most).await;
        self.0.room.close();
        drop(all);
        let idle = std::mem::take(&mut *self.0.idle());
        let _ = tokio::task::spawn_blocking(move || drop(idle)).await;
    }
}

/// A connection that goes back when it is dropped. A transaction that is open then is rolled back.
pub(crate) struct Lent(Connection);

impl Deref for Lent {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.0
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.0
    }
}

impl Lent {
    /// Closes it instead: the next one who takes has another.
    pub(super) fn discard(mut self) {
        if let Some(loan) = &mut self.0.0 {
            loan.raw = None;
        }
    }
}

/// Absent when whoever waited for a statement gave up: it goes back by itself when the statement is done.
pub(crate) struct Connection(Option<Loan>);

struct Loan {
    raw: Option<rusqlite::Connection>,
    from: Arc<Inner>,
    /// Given back after the connection.
    permit: Option<OwnedSemaphorePermit>,
}

impl Connection {
    /// Runs what may take its time.
    pub(super) async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DriverError> {
        let Some(mut loan) = self.0.take() else { return Err(DriverError::Closed) };
        let work = move || {
            let done = loan.run(work);
            (loan, done)
        };
        let (loan, done) = match MAY_BLOCK.get() {
            true => work(),
            false => tokio::task::spawn_blocking(|| alone(work)).await.map_err(|_| DriverError::Closed)?,
        };
        self.0 = Some(loan);
        Ok(done?)
    }
}

impl Loan {
    fn run<T>(&mut self, work: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let raw = match self.raw.take() {
            Some(raw) => raw,
            None => (self.from.open)()?,
        };
        work(self.raw.insert(raw))
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let (Some(raw), permit) = (self.raw.take(), self.permit.take()) else { return };
        let from = Arc::clone(&self.from);
        let give_back = move |raw| {
            from.idle().push(raw);
            drop(permit);
        };
        if raw.is_autocommit() {
            return give_back(raw);
        }
        let roll_back = move || {
            // It may be over already: when the disk is full SQLite ends a transaction by itself.
            let _ = raw.execute_batch("ROLLBACK");
            give_back(raw);
        };
        match Handle::try_current() {
            Ok(runtime) if !MAY_BLOCK.get() => drop(runtime.spawn_blocking(roll_back)),
            _ => roll_back(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use crate::SqliteStore;
    use crate::dialect::Dialect as _;
    use crate::error::DriverError;

    async fn store(folder: &tempfile::TempDir) -> SqliteStore {
        SqliteStore::open(&folder.path().join("queue.db")).await.unwrap()
    }

    async fn queues(store: &SqliteStore) -> i64 {
        let mut tx = store.dialect.begin().await.unwrap();
        tx.run(|raw| raw.query_row("SELECT count(*) FROM queues", [], |row| row.get(0))).await.unwrap()
    }

    const LOST: &str = "INSERT INTO queues (name) VALUES ('lost')";

    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_by_itself_does_not_stop_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        for _ in 0..3 {
            let mut tx = store.dialect.begin().await.unwrap();
            // As SQLite does when there is no room for what is to be committed.
            tx.run(|raw| raw.execute_batch("ROLLBACK")).await.unwrap();
            drop(tx);
        }
        crate::sqlite::Sqlite::commit(store.dialect.begin().await.unwrap()).await.unwrap();
    }

    #[tokio::test]
    async fn of_a_transaction_that_is_dropped_nothing_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let mut tx = store.dialect.begin().await.unwrap();
        tx.run(|raw| raw.execute(LOST, [])).await.unwrap();
        drop(tx);
        assert_eq!(queues(&store).await, 0);
        store.close().await;
        assert!(matches!(store.dialect.begin().await, Err(DriverError::Closed)));
    }

    #[tokio::test]
    async fn a_caller_who_gives_up_in_a_statement_leaves_the_connection_to_the_next_and_nothing_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let mut tx = store.dialect.begin().await.unwrap();
        let (started, has_started) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel::<()>();
        let mut statement = Box::pin(tx.run(move |raw| {
            started.send(()).unwrap();
            may_go_on.recv().unwrap();
            raw.execute(LOST, [])
        }));
        tokio::select! {
            biased;
            _ = &mut statement => unreachable!("it waits"),
            () = std::future::ready(()) => (),
        }
        has_started.recv().unwrap();
        drop(statement);
        drop(tx);
        go_on.send(()).unwrap();
        assert_eq!(queues(&store).await, 0);
    }

    #[tokio::test]
    async fn a_statement_that_panics_costs_its_transaction_alone() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let mut tx = store.dialect.begin().await.unwrap();
        tx.run(|raw| raw.execute(LOST, [])).await.unwrap();
        let lost = tx.run(|_| -> rusqlite::Result<()> { panic!("a fault in a statement") }).await;
        assert!(matches!(lost, Err(DriverError::Closed)));
        drop(tx);
        assert_eq!(queues(&store).await, 0);
    }
}
