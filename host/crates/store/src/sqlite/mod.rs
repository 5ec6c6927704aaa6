//! The queue in a SQLite file.
//!
//! SQLite has one writer, so there is one connection that writes, and every transaction on it begins with `IMMEDIATE`: none
//! ever waits for a lock in its middle. Readers have connections of their own and never wait for it (write-ahead log).
//! `synchronous=FULL`: a commit is on the disk when it returns.
//!
//! Statements run by rusqlite, on the thread that asks: sqlx hands each to a thread of its own and copies every value on the way back
//! (decision 15). The schema is brought up by sqlx, as PostgreSQL's is.

mod connection;
mod open;

use std::time::SystemTime;

use async_trait::async_trait;
use rusqlite::{CachedStatement, ToSql as _};
use windlass_model::Timestamp;

use crate::StoreError;
use crate::dialect::Dialect;
use crate::error::DriverError;
use crate::record::{Cells, Record};
use crate::seam::{ChangeFeed, Changes};
use crate::sql::SqlStore;
use crate::statement::Statement;
use crate::value::{Input, MAX_ROWS, Value};

use self::connection::{Connection, Connections, Lent};

pub use self::open::SqliteOpenError;

/// The queue in a SQLite file.
pub type SqliteStore = SqlStore<Sqlite>;

/// The connections to a SQLite file.
#[derive(Clone)]
pub struct Sqlite {
    /// One.
    writer: Connections,
    readers: Connections,
}

impl Dialect for Sqlite {
    type Connection = Connection;
    const HAS_ONE_WRITER: bool = true;
    type Tx = Lent;
    type Reader = Lent;

    async fn begin(&self) -> Result<Lent, DriverError> {
        let mut writer = self.writer.take().await?;
        match writer.run(|raw| raw.prepare_cached("BEGIN IMMEDIATE")?.execute([])).await {
            Ok(_) => Ok(writer),
            Err(error) => {
                // A connection that cannot begin may be beyond use.
                writer.discard();
                Err(error)
            }
        }
    }

    async fn commit(mut tx: Lent) -> Result<(), DriverError> {
        tx.run(|raw| raw.prepare_cached("COMMIT")?.execute([])).await.map(drop)
    }

    async fn reader(&self) -> Result<Lent, DriverError> {
        self.readers.take().await
    }

    fn serve(&self, work: impl Future<Output = ()> + Send + 'static) {
        connection::serve(work);
    }

    /// The host's: the file has no other, and to ask it costs as much as the rest of a small transaction.
    async fn clock(&self, _connection: &mut Connection) -> Result<Timestamp, DriverError> {
        #[expect(clippy::disallowed_methods, reason = "this is the database's clock")]
        let now = SystemTime::now();
        let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Ok(Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)))
    }

    /// Nobody: a file has one daemon, which knows what it did.
    async fn tell(&self, _connection: &mut Connection, _changes: Changes) -> Result<(), DriverError> {
        Ok(())
    }

    fn feed(&self) -> Box<dyn ChangeFeed> {
        Box::new(Silence)
    }

    async fn fetch<R: Record>(
        &self,
        connection: &mut Connection,
        statement: Statement,
        input: Input,
    ) -> Result<Vec<R>, DriverError> {
        let run = move |raw: &rusqlite::Connection| {
            let mut found = Vec::new();
            for (text, values) in texts(statement, input) {
                for part in parts(text) {
                    let mut statement = prepared(raw, part, &values)?;
                    let mut rows = statement.raw_query();
                    while let Some(row) = rows.next()? {
                        found.push(R::read(&mut Cells::of(row))?);
                    }
                }
            }
            Ok(found)
        };
        connection.run(run).await
    }

    async fn execute(
        &self,
        connection: &mut Connection,
        statement: Statement,
        input: Input,
    ) -> Result<u64, DriverError> {
        let run = move |raw: &rusqlite::Connection| {
            let mut changed = 0;
            for (text, values) in texts(statement, input) {
                changed += prepared(raw, text, &values)?.raw_execute()? as u64;
            }
            Ok(changed)
        };
        connection.run(run).await
    }
}

/// A statement's text, and another one for each part of many rows.
fn texts(statement: Statement, input: Input) -> impl Iterator<Item = (&'static str, Vec<Value>)> {
    let (one, parts) = match input {
        Input::Values(values) => (Some((statement.sqlite, values)), None),
        Input::Rows(rows) => (None, Some(rows.parts(if statement.takes_many() { MAX_ROWS } else { 1 }))),
    };
    let parts = parts.into_iter().flatten();
    one.into_iter().chain(parts.map(move |(size, values)| (statement.sqlite_of(size), values)))
}

/// The statements of a text, of which one may return rows.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(";\n")
}

fn prepared<'c>(raw: &'c rusqlite::Connection, text: &str, values: &[Value]) -> rusqlite::Result<CachedStatement<'c>> {
    let mut statement = raw.prepare_cached(text)?;
    // The first of several statements may not know the last parameters.
    for (place, value) in (1..=statement.parameter_count()).zip(values) {
        statement.raw_bind_parameter(place, value.to_sql()?)?;
    }
    Ok(statement)
}

/// There is nobody to hear from.
struct Silence;

#[async_trait]
impl ChangeFeed for Silence {
    async fn next(&mut self) -> Result<Changes, StoreError> {
        std::future::pending().await
    }
}
