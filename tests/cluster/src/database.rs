//! A database of its own for one test.

use anyhow::Result;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use crate::{Cluster, given};

/// A database of its own on a server that others may use too. Dropped with it.
pub struct Database {
    server: String,
    name: String,
    _cluster: Option<Cluster>,
}

impl Database {
    /// On the server that the environment names (`cargo xtask test` starts one for all), else on a cluster of its own.
    pub async fn create() -> Result<Self> {
        let (server, cluster) = match given() {
            Some(server) => (server, None),
            None => {
                let cluster = Cluster::start(&[])?;
                (cluster.url("postgres"), Some(cluster))
            }
        };
        let name = format!("windlass_case_{}", uuid::Uuid::new_v4().simple());
        run(&server, format!("CREATE DATABASE {name}")).await?;
        Ok(Self { server, name, _cluster: cluster })
    }

    /// Its URL.
    pub fn url(&self) -> String {
        let (server, query) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let server = server.rsplit_once('/').map_or(server, |(server, _)| server);
        format!("{server}/{}?{query}", self.name)
    }

    /// A connection to it.
    pub async fn connect(&self) -> Result<PgConnection> {
        Ok(self.url().parse::<PgConnectOptions>()?.connect().await?)
    }

    /// Runs statements in it, on a connection of their own.
    pub async fn run(&self, sql: &str) -> Result<()> {
        run(&self.url(), sql.to_owned()).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, sql) = (self.server.clone(), format!("DROP DATABASE {} WITH (FORCE)", self.name));
        // The test's own runtime is about to end, and a drop cannot wait for it.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(run(&server, sql))
        });
        let _ = dropping.join();
    }
}

async fn run(url: &str, sql: String) -> Result<()> {
    let mut connection = url.parse::<PgConnectOptions>()?.connect().await?;
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
    Ok(connection.close().await?)
}
