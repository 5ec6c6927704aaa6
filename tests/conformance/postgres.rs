//! PostgreSQL's fixture, and what is true of a server alone.

use std::any::Any;

use windlass_store::{JobDirectory as _, JobInbox as _, PostgresOpenError, PostgresSettings, PostgresStore};
use windlass_test_cluster::Database;

use crate::fixture::{Fixture, at, id, new_job};

fn settings(url: String) -> PostgresSettings {
    PostgresSettings { url, connections: 4, poll_only: false }
}

async fn reopen(database: &Database) -> PostgresStore {
    PostgresStore::open(&settings(database.url())).await.unwrap()
}

pub(crate) async fn open() -> Fixture<PostgresStore> {
    let database = Database::create().await.unwrap();
    let store = reopen(&database).await;
    let keep: Box<dyn Any> = Box::new(database);
    Fixture { store, _keep: keep }
}

#[tokio::test]
async fn every_statement_fits_the_migrated_schema() {
    assert_eq!(open().await.store.prepare_all().await.unwrap(), 33);
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
async fn a_server_that_is_too_old_is_refused_by_its_version() {
    let url = format!("postgres://windlass@{}/queue?sslmode=disable", windlass_test_cluster::old_server().unwrap());
    let error = PostgresStore::open(&settings(url)).await.err().unwrap();
    assert!(matches!(&error, PostgresOpenError::TooOld { found, .. } if found == "14.9"), "{error:?}");
    assert!(error.to_string().ends_with("/queue has version 14.9: Windlass needs 15 or later"), "{error}");
}

#[tokio::test]
async fn a_database_of_a_newer_windlass_is_refused() {
    let database = Database::create().await.unwrap();
    reopen(&database).await.close().await;
    database
        .run("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (99, 'new', true, '', 0)")
        .await
        .unwrap();
    let error = PostgresStore::open(&settings(database.url())).await.err().unwrap();
    assert!(matches!(&error, PostgresOpenError::Newer { found: 99, .. }), "{error:?}");
    let said = "was written by a newer Windlass (schema 99): use that version, or another database";
    assert!(error.to_string().ends_with(said), "{error}");
}

#[tokio::test]
async fn daemons_that_start_together_bring_the_schema_up_once() {
    let database = Database::create().await.unwrap();
    let (first, second, third) = tokio::join!(reopen(&database), reopen(&database), reopen(&database));
    first.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    assert!(second.job_get(id(1)).await.unwrap().is_some());
    assert!(third.job_get(id(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn behind_a_pooler_nothing_is_kept_on_a_connection() {
    let database = Database::create().await.unwrap();
    let store = PostgresStore::open(&PostgresSettings { poll_only: true, ..settings(database.url()) }).await.unwrap();
    store.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    let mut connection = database.connect().await.unwrap();
    let kept: i64 =
        sqlx::query_scalar("SELECT count(*) FROM pg_listening_channels()").fetch_one(&mut connection).await.unwrap();
    assert_eq!(kept, 0);
}
