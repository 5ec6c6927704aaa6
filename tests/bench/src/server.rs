//! The PostgreSQL server that all share: thrown away at the end, and as careful with the disk as one that is kept.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use windlass_test_cluster::Cluster;

use crate::processor;

/// What tests leave out: that a commit is on the disk before anybody is told of it. All else is PostgreSQL's default.
const SETTINGS: [&str; 2] = ["fsync=on", "synchronous_commit=on"];

/// A running server, and a connection to it for what is asked about it.
pub(crate) struct Server {
    cluster: Cluster,
    connection: PgConnection,
    process: u32,
    databases: u32,
}

impl Server {
    pub(crate) async fn start() -> Result<Self> {
        let cluster = Cluster::start(&SETTINGS)?;
        let mut connection = cluster.url("postgres").parse::<PgConnectOptions>()?.connect().await?;
        let backend: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connection).await?;
        let process = processor::parent(backend.try_into()?)?;
        let mut server = Self { cluster, connection, process, databases: 0 };
        for setting in SETTINGS {
            let (name, value) = setting.split_once('=').context("a setting has no value")?;
            let found = server.show(name).await?;
            ensure!(found == value, "the server has {name}={found}, so its figures would mean nothing");
        }
        Ok(server)
    }

    /// What one of its settings is, as it says itself.
    pub(crate) async fn show(&mut self, setting: &'static str) -> Result<String> {
        let asked = sqlx::query_scalar("SELECT current_setting($1)").bind(setting);
        Ok(asked.fetch_one(&mut self.connection).await?)
    }

    /// The folder on the disk in which it keeps its files.
    pub(crate) async fn folder(&mut self) -> Result<String> {
        self.show("data_directory").await
    }

    /// A database for one run. What runs before it left to be written is written now, and not while this run is timed.
    pub(crate) async fn create(&mut self) -> Result<String> {
        self.databases += 1;
        let name = self.name();
        self.run(format!("CREATE DATABASE {name}")).await?;
        self.run("CHECKPOINT".to_owned()).await?;
        Ok(self.cluster.url(&name))
    }

    /// Drops the last one.
    pub(crate) async fn drop(&mut self) -> Result<()> {
        let name = self.name();
        self.run(format!("DROP DATABASE {name} WITH (FORCE)")).await
    }

    /// The same for a run that makes its databases itself.
    pub(crate) async fn settle(&mut self) -> Result<String> {
        self.run("CHECKPOINT".to_owned()).await?;
        Ok(self.cluster.url("postgres"))
    }

    /// The processor time that the server and all its processes have used so far.
    pub(crate) fn used(&self) -> Duration {
        processor::used(self.process)
    }

    fn name(&self) -> String {
        format!("peer_{}", self.databases)
    }

    async fn run(&mut self, sql: String) -> Result<()> {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.connection).await?;
        Ok(())
    }
}
