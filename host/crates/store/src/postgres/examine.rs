//! Asks a server about itself.

use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Row as _};

use super::connect::{self, PostgresOpenError, PostgresSettings};
use super::{MIGRATIONS, PostgresStore};
use crate::facts::{PostgresFacts, SchemaFact};
use crate::value::Time;

const FACTS: &str = include_str!("../../statements/alone/postgres_facts.sql");
const SCHEMA_VERSION: &str = include_str!("../../statements/alone/schema_version.sql");

impl PostgresStore {
    /// Connects as a daemon does, asks, and changes nothing.
    pub async fn examine(settings: &PostgresSettings) -> Result<PostgresFacts, PostgresOpenError> {
        let options = settings.options()?;
        let mut connection = connect::connect(&options).await?;
        let at = connect::address(&options);
        let facts = ask(&mut connection, at.clone()).await;
        let _ = connection.close().await;
        facts.map_err(|source| PostgresOpenError::Examine { at, source })
    }
}

async fn ask(connection: &mut PgConnection, at: String) -> Result<PostgresFacts, sqlx::Error> {
    let version = connect::version(connection.server_version_num().unwrap_or_default());
    // As behind a pooler it must be, see [`super::Postgres`].
    let mut tx = connection.begin().await?;
    let row = sqlx::query(FACTS).persistent(false).fetch_one(&mut *tx).await?;
    let found = match row.try_get(8)? {
        true => sqlx::query_scalar(SCHEMA_VERSION).persistent(false).fetch_one(&mut *tx).await?,
        false => None,
    };
    tx.commit().await?;
    let Time(now) = row.try_get(0)?;
    let count = |index| row.try_get::<i64, _>(index).map(|count| u32::try_from(count).unwrap_or(0));
    Ok(PostgresFacts {
        at,
        version,
        now,
        is_standby: row.try_get(1)?,
        fsync: row.try_get(2)?,
        full_page_writes: row.try_get(3)?,
        synchronous_commit: row.try_get(4)?,
        autovacuum: row.try_get(5)?,
        ends_idle_transactions: row.try_get(6)?,
        may_create: row.try_get(7)?,
        connections_most: count(9)?,
        connections_free: count(10)?,
        schema: SchemaFact::new(found, &MIGRATIONS),
    })
}
