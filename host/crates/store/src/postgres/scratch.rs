//! A database for a while, beside the one that was named: what is measured or tried must not land among somebody's jobs.

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _};
use uuid::Uuid;

use super::connect::{self, PostgresOpenError, PostgresSettings};

const CREATE: &str = include_str!("../../statements/alone/postgres_scratch_create.sql");
const DROP: &str = include_str!("../../statements/alone/postgres_scratch_drop.sql");

/// An empty database begins as a copy of this one, which nobody adds anything to.
const EMPTY: &str = "template0";

/// A database of its own on somebody's server. It stays there until it is dropped by [`ScratchDatabase::drop`].
#[derive(Clone, Debug)]
pub struct ScratchDatabase {
    server: PostgresSettings,
    name: String,
}

impl ScratchDatabase {
    /// Makes one on the server that the URL names, with another name than any other has: an empty one, or a copy of another, to
    /// which nobody may be connected then.
    pub async fn create(server: &PostgresSettings, like: Option<&Self>) -> Result<Self, PostgresOpenError> {
        // From random bits, and the only one that says so: a name is pasted into a statement.
        let name = format!("windlass_scratch_{}", Uuid::new_v4().simple());
        let like = like.map_or(EMPTY, |like| &like.name);
        run(server, CREATE.replace("{name}", &name).replace("{like}", like)).await?;
        Ok(Self { server: server.clone(), name })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The server's URL with this database's name. Never to be shown: it may hold a password.
    #[must_use]
    pub fn url(&self) -> String {
        // Of two names in a URL the later one counts, and a parameter counts more than the path.
        let mark = if self.server.url.contains('?') { '&' } else { '?' };
        format!("{}{mark}dbname={}", self.server.url, self.name)
    }

    /// Removes it, with all that is in it, also from under those who are connected. Nothing happens if it is gone.
    pub async fn drop(self) -> Result<(), PostgresOpenError> {
        run(&self.server, DROP.replace("{name}", &self.name)).await
    }
}

/// Runs a statement that must stand outside a transaction.
async fn run(server: &PostgresSettings, sql: String) -> Result<(), PostgresOpenError> {
    let options: PgConnectOptions = server.patient_options()?;
    let at = connect::address(&options);
    let mut connection = connect::connect(&options).await?;
    let ran = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await;
    let _ = connection.close().await;
    ran.map(drop).map_err(|source| PostgresOpenError::Scratch { at, source })
}
