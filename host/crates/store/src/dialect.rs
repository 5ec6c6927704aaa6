//! What differs between the databases besides the text of their statements: how a transaction begins, who reads, and the types
//! that a driver takes.

use std::future::Future;
use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Database, FromRow, Transaction};

use windlass_model::Timestamp;

use crate::seam::{ChangeFeed, Changes};
use crate::statement::Statement;
use crate::value::Input;

/// One kind of database, and the connections to one of it.
pub(crate) trait Dialect: Clone + Send + Sync + 'static {
    type Db: Database;

    /// Whether only one transaction writes at a time, so that calls better share it.
    const HAS_ONE_WRITER: bool;

    /// A transaction that may write. Dropped, it leaves nothing behind.
    type Tx: DerefMut<Target = <Self::Db as Database>::Connection> + Send;

    fn begin(&self) -> impl Future<Output = Result<Self::Tx, sqlx::Error>> + Send;

    /// Makes all of it durable.
    fn commit(tx: Self::Tx) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// A connection for reading.
    fn reader(&self) -> impl Future<Output = Result<Reader<Self::Db>, sqlx::Error>> + Send;

    /// The time by this database's clock.
    fn clock(
        &self,
        connection: &mut <Self::Db as Database>::Connection,
    ) -> impl Future<Output = Result<Timestamp, sqlx::Error>> + Send;

    /// Tells other daemons what a transaction changed, as part of it.
    fn tell(
        &self,
        connection: &mut <Self::Db as Database>::Connection,
        changes: Changes,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send;

    /// Hears what others tell.
    fn feed(&self) -> Box<dyn ChangeFeed>;

    /// Runs a statement and returns its rows.
    fn fetch<R: Record>(
        &self,
        connection: &mut <Self::Db as Database>::Connection,
        statement: Statement,
        input: Input,
    ) -> impl Future<Output = Result<Vec<R>, sqlx::Error>> + Send;

    /// Runs a statement and returns how many rows it changed.
    fn execute(
        &self,
        connection: &mut <Self::Db as Database>::Connection,
        statement: Statement,
        input: Input,
    ) -> impl Future<Output = Result<u64, sqlx::Error>> + Send;
}

/// A connection for reading, given back when it is dropped.
pub(crate) enum Reader<Db: Database> {
    /// Ours from one statement to the next.
    Connection(PoolConnection<Db>),
    /// Ours for this transaction, which changes nothing and is never committed.
    Transaction(Transaction<'static, Db>),
}

impl<Db: Database> Deref for Reader<Db> {
    type Target = Db::Connection;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Connection(connection) => connection,
            Self::Transaction(tx) => tx,
        }
    }
}

impl<Db: Database> DerefMut for Reader<Db> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Connection(connection) => connection,
            Self::Transaction(tx) => tx,
        }
    }
}

/// A row that both databases can hand out.
pub(crate) trait Record: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

impl<R> Record for R where R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

/// Both drivers bind in the same way, but by types of their own.
macro_rules! bind {
    ($query:expr, $values:expr) => {
        $values.into_iter().fold($query, |query, value| match value {
            $crate::value::Value::Id(id) => query.bind(id),
            $crate::value::Value::Int(number) => query.bind(number),
            $crate::value::Value::Text(text) => query.bind(text),
            $crate::value::Value::Time(time) => query.bind(time),
            $crate::value::Value::Bytes(bytes) => query.bind(bytes),
        })
    };
}
pub(crate) use bind;
