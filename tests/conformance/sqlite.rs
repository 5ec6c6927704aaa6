//! SQLite's fixture, and what is true of a file alone.

use std::path::Path;

use windlass_store::{JobDirectory, JobInbox, SqliteOpenError, SqliteStore};

use crate::fixture::{Fixture, at, id, new_job};

/// A database in a folder of its own.
pub(crate) async fn open() -> Fixture<SqliteStore> {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("windlass.db")).await.unwrap();
    Fixture { store, _keep: Box::new(folder) }
}

#[tokio::test]
async fn every_statement_fits_the_migrated_schema() {
    assert_eq!(open().await.store.prepare_all().await.unwrap(), 32);
}

#[tokio::test]
async fn the_schema_is_the_one_that_was_reviewed() {
    insta::assert_snapshot!("sqlite_schema", open().await.store.schema().await.unwrap());
}

#[tokio::test]
async fn what_was_written_is_there_after_the_file_was_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("windlass.db");
    let store = SqliteStore::open(&path).await.unwrap();
    store.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    store.close().await;
    let store = SqliteStore::open(&path).await.unwrap();
    assert!(store.job_get(id(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let error = SqliteStore::open(Path::new("/nowhere/at/all/windlass.db")).await.err().unwrap();
    assert!(matches!(error, SqliteOpenError::Open { .. }));
    let said = "cannot open the database /nowhere/at/all/windlass.db: is its folder there and writable?";
    assert_eq!(error.to_string(), said);
}

#[tokio::test]
async fn the_database_gives_the_time_if_the_caller_does_not() {
    let db = open().await;
    let job = db.store.job_insert(&[new_job(1)], None).await.unwrap().pop().unwrap();
    assert!(job.created_at > windlass_model::Timestamp::from_micros(1_700_000_000_000_000), "{:?}", job.created_at);
    assert_eq!(job.created_at, job.run_at);
}
