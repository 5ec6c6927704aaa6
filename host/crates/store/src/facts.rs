//! What a database says of itself, for `windlass check`. Nothing here changes anything; what it means is judged elsewhere.

use sqlx::migrate::Migrator;
use windlass_model::Timestamp;

/// Where the schema stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemaFact {
    /// There is none: the first start makes it.
    Absent,
    /// It is this version's.
    Present(i64),
    /// An older version wrote it: the next start brings it from the first number to the second.
    Older(i64, i64),
    /// A newer version wrote it.
    Newer(i64),
}

impl SchemaFact {
    pub(crate) fn new(found: Option<i64>, migrations: &Migrator) -> Self {
        let newest = migrations.iter().map(|migration| migration.version).max().unwrap_or_default();
        match found {
            None => Self::Absent,
            Some(found) if found == newest => Self::Present(found),
            Some(found) if found < newest => Self::Older(found, newest),
            Some(found) => Self::Newer(found),
        }
    }
}

/// What a PostgreSQL server says, to the connections of a daemon: they bring settings of their own, unless a pooler is between.
#[derive(Clone, Debug)]
pub struct PostgresFacts {
    /// Host, port and database.
    pub at: String,
    /// The server's version.
    pub version: String,
    /// The time by its clock.
    pub now: Timestamp,
    /// Whether it is a copy of another server and takes no writes.
    pub is_standby: bool,
    /// Whether it waits until what it writes is on the disk.
    pub fsync: bool,
    /// Whether it can mend a page of which only a part was written.
    pub full_page_writes: bool,
    /// What a commit waits for.
    pub synchronous_commit: String,
    /// Whether dead rows are cleared away.
    pub autovacuum: bool,
    /// Whether a transaction whose client is silent ends some time.
    pub ends_idle_transactions: bool,
    /// Whether this user may make tables.
    pub may_create: bool,
    /// How many connections this user can have at most, whoever else has some.
    pub connections_most: u32,
    /// How many are free.
    pub connections_free: u32,
    /// Where the schema stands.
    pub schema: SchemaFact,
}

/// What a SQLite file says.
#[derive(Clone, Debug)]
pub struct SqliteFacts {
    /// The library's version.
    pub version: String,
    /// `wal`, unless somebody changed it; the next start changes it back.
    pub journal_mode: String,
    /// Whether a commit waits for the disk on the connections that a daemon makes.
    pub is_synchronous: bool,
    /// What is broken in it, if anything is.
    pub damage: Option<String>,
    /// Where the schema stands.
    pub schema: SchemaFact,
}
