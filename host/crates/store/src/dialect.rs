//! What differs between the databases besides the text of their statements: how a transaction begins, who reads, and the types
//! that a driver takes.

use std::future::Future;
use std::ops::DerefMut;

use windlass_model::Timestamp;

use crate::error::DriverError;
use crate::record::Record;
use crate::seam::{ChangeFeed, Changes};
use crate::statement::Statement;
use crate::value::Input;

/// One kind of database, and the connections to one of it.
pub(crate) trait Dialect: Clone + Send + Sync + 'static {
    type Connection: Send;

    /// Whether only one transaction writes at a time, so that calls better share it.
    const HAS_ONE_WRITER: bool;

    /// A transaction that may write. Dropped, it leaves nothing behind.
    type Tx: DerefMut<Target = Self::Connection> + Send;

    /// A connection for reading, given back when it is dropped.
    type Reader: DerefMut<Target = Self::Connection> + Send;

    fn begin(&self) -> impl Future<Output = Result<Self::Tx, DriverError>> + Send;

    /// Makes all of it durable.
    fn commit(tx: Self::Tx) -> impl Future<Output = Result<(), DriverError>> + Send;

    fn reader(&self) -> impl Future<Output = Result<Self::Reader, DriverError>> + Send;

    /// Has work done, of which much is this database's, where that costs least.
    fn serve(&self, work: impl Future<Output = ()> + Send + 'static);

    /// The time by this database's clock.
    fn clock(&self, connection: &mut Self::Connection) -> impl Future<Output = Result<Timestamp, DriverError>> + Send;

    /// Tells other daemons what a transaction changed, as part of it.
    fn tell(
        &self,
        connection: &mut Self::Connection,
        changes: Changes,
    ) -> impl Future<Output = Result<(), DriverError>> + Send;

    /// Hears what others tell.
    fn feed(&self) -> Box<dyn ChangeFeed>;

    /// Runs a statement and returns its rows.
    fn fetch<R: Record>(
        &self,
        connection: &mut Self::Connection,
        statement: Statement,
        input: Input,
    ) -> impl Future<Output = Result<Vec<R>, DriverError>> + Send;

    /// Runs a statement and returns how many rows it changed.
    fn execute(
        &self,
        connection: &mut Self::Connection,
        statement: Statement,
        input: Input,
    ) -> impl Future<Output = Result<u64, DriverError>> + Send;
}
