//! Who reads.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgConnection;
use sqlx::{Postgres, Transaction};

/// A connection for reading, given back when it is dropped.
pub(crate) enum Reader {
    /// Ours from one statement to the next.
    Connection(PoolConnection<Postgres>),
    /// Ours for this transaction, which changes nothing and is never committed.
    Transaction(Transaction<'static, Postgres>),
}

impl Deref for Reader {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match self {
            Self::Connection(connection) => connection,
            Self::Transaction(tx) => tx,
        }
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match self {
            Self::Connection(connection) => connection,
            Self::Transaction(tx) => tx,
        }
    }
}
