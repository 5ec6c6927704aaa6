//! PostgreSQL's fixture, and what is true of a server alone.

use std::any::Any;
use std::rc::Rc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use windlass_model::{NewJob, Patch, QueueChange};
use windlass_store::{
    JobDirectory as _, JobQueue as _, PostgresOpenError, PostgresSettings, PostgresStore, QueueBoard as _,
};
use windlass_test_cluster::Cluster;

use crate::fixture::{Fixture, Store as _, at, id, new_job, task, worker};

/// A database of its own on a server that others may use too. Dropped with it.
struct Database {
    server: String,
    name: String,
    _cluster: Option<Cluster>,
}

impl Database {
    /// On the server that the environment names (`cargo xtask test` starts one for all), else on a cluster of its own.
    async fn create() -> Self {
        let (server, cluster) = match windlass_test_cluster::given() {
            Some(server) => (server, None),
            None => {
                let cluster = Cluster::start(&[]).unwrap();
                (cluster.url("postgres"), Some(cluster))
            }
        };
        let name = format!("windlass_case_{}", uuid::Uuid::new_v4().simple());
        run(&server, format!("CREATE DATABASE {name}")).await;
        Self { server, name, _cluster: cluster }
    }

    fn url(&self) -> String {
        let (server, query) = self.server.split_once('?').unwrap_or((&self.server, ""));
        let (server, _) = server.rsplit_once('/').unwrap();
        format!("{server}/{}?{query}", self.name)
    }

    async fn run(&self, sql: &'static str) {
        run(&self.url(), sql.to_owned()).await;
    }

    async fn open(&self) -> PostgresStore {
        PostgresStore::open(&settings(self.url())).await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, sql) = (self.server.clone(), format!("DROP DATABASE {} WITH (FORCE)", self.name));
        // The test's own runtime is about to end, and a drop cannot wait for it.
        let dropping = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run(&server, sql));
        });
        let _ = dropping.join();
    }
}

async fn run(url: &str, sql: String) {
    let mut connection = url.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

fn settings(url: String) -> PostgresSettings {
    PostgresSettings { url, connections: 4, poll_only: false }
}

pub(crate) async fn open() -> Fixture<PostgresStore> {
    let database = Database::create().await;
    let store = database.open().await;
    let keep: Box<dyn Any> = Box::new(database);
    Fixture { store, _keep: keep }
}

#[tokio::test]
async fn every_statement_fits_the_migrated_schema() {
    assert_eq!(open().await.store.prepare_all().await.unwrap(), 74);
}

#[test]
fn the_database_answers_as_the_model_does() {
    // One database for all cases, because making one takes longer than a case.
    let kept = tokio::sync::OnceCell::new();
    crate::model::check(async || {
        let open = async || {
            let database = Database::create().await;
            let (store, url) = (database.open().await, database.url());
            let keep: Box<dyn Any> = Box::new(database);
            (url, Rc::new(Fixture { store, _keep: keep }))
        };
        let (url, fixture) = kept.get_or_init(open).await;
        let tables = "jobs, queues, queue_counts, dependencies_due, idempotency_keys, operations, workers, leaders";
        run(url, format!("TRUNCATE {tables} CASCADE")).await;
        fixture.clone()
    });
}

#[tokio::test]
async fn the_schema_is_the_one_that_was_reviewed() {
    insta::assert_snapshot!("postgres_schema", open().await.store.schema().await.unwrap());
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_named_without_the_password() {
    let url = "postgres://windlass:secret@127.0.0.1:1/queue".to_owned();
    let error = PostgresStore::open(&settings(url)).await.err().unwrap();
    assert!(matches!(error, PostgresOpenError::Connect { .. }));
    let said = "cannot connect to PostgreSQL at 127.0.0.1:1/queue: does it run, and may this user use this database?";
    assert_eq!(error.to_string(), said);
}

#[tokio::test]
async fn a_database_of_a_newer_windlass_is_refused() {
    let database = Database::create().await;
    database.open().await.close().await;
    database
        .run("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (99, 'new', true, '', 0)")
        .await;
    let error = PostgresStore::open(&settings(database.url())).await.err().unwrap();
    assert!(matches!(&error, PostgresOpenError::Newer { found: 99, .. }), "{error:?}");
    let said = "was written by a newer Windlass (schema 99): use that version, or another database";
    assert!(error.to_string().ends_with(said), "{error}");
}

#[tokio::test]
async fn daemons_that_start_together_bring_the_schema_up_once() {
    let database = Database::create().await;
    let (first, second, third) = tokio::join!(database.open(), database.open(), database.open());
    first.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    assert!(second.job_get(id(1)).await.unwrap().is_some());
    assert!(third.job_get(id(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn behind_a_pooler_nothing_is_kept_on_a_connection() {
    let database = Database::create().await;
    let store = PostgresStore::open(&PostgresSettings { poll_only: true, ..settings(database.url()) }).await.unwrap();
    store.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    let mut connection = database.url().parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pg_listening_channels()").fetch_one(&mut connection).await.unwrap();
    assert_eq!(kept, 0);
}

#[tokio::test]
async fn a_queue_with_limits_that_somebody_holds_holds_up_no_other() {
    let database = Database::create().await;
    let store = database.open().await;
    let limited = QueueChange { max_running: Patch::Set(5.try_into().unwrap()), ..QueueChange::default() };
    store.queue_change(&"held".parse().unwrap(), &limited, None).await.unwrap();
    let job = |number, queue: &str| NewJob { queue: queue.parse().unwrap(), ..new_job(number) };
    store.job_insert(&[job(1, "held"), job(2, "free")], Some(at(0))).await.unwrap();
    // A daemon that was stopped in the middle of a claim.
    let mut stopped = database.url().parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
    sqlx::raw_sql("BEGIN; SELECT 1 FROM queues WHERE name = 'held' FOR NO KEY UPDATE")
        .execute(&mut stopped)
        .await
        .unwrap();
    let claimed = store.job_claim(worker(1), &[task()], 9, Some(at(1))).await.unwrap();
    assert_eq!(claimed.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [id(2)]);
    assert_eq!(claimed.again_in, Some(Duration::from_millis(50)), "it is worth to look again soon");
    sqlx::raw_sql("ROLLBACK").execute(&mut stopped).await.unwrap();
    let claimed = store.job_claim(worker(1), &[task()], 9, Some(at(1))).await.unwrap();
    assert_eq!(claimed.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [id(1)]);
}
