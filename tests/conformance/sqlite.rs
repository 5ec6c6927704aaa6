//! What SQLite alone promises, and an empty database for the others' cases.

use std::path::{Path, PathBuf};

use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;
use windlass_model::JobState;
use windlass_store::{JobDirectory as _, JobInbox as _, JobQueue as _, SqliteOpenError, SqliteStore};

use crate::fixture::{Fixture, at, completed, finished, job_id, new_job, task, worker_id};

/// An empty database in a folder of its own.
pub(crate) async fn open_sqlite() -> Fixture {
    let (folder, path) = folder();
    Fixture::new(open(&path).await, folder)
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("windlass.db");
    (folder, path)
}

async fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path).await.unwrap()
}

/// Changes the file behind the store's back.
async fn tamper(path: &Path, sql: &'static str) {
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    sqlx::query(sql).execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn every_statement_fits_the_schema() {
    let (_folder, path) = folder();
    let prepared = open(&path).await.prepare_all().await.unwrap();
    assert!(prepared >= 32, "only {prepared} statements were prepared");
}

#[tokio::test]
async fn the_schema_is_the_one_that_was_agreed() {
    let (_folder, path) = folder();
    insta::assert_snapshot!(open(&path).await.schema().await.unwrap());
}

#[tokio::test]
async fn a_file_of_a_newer_windlass_is_refused() {
    let (_folder, path) = folder();
    open(&path).await.close().await;
    tamper(
        &path,
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (99, 'new', true, x'00', 0)",
    )
    .await;
    let error = SqliteStore::open(&path).await.err().unwrap();
    assert!(matches!(&error, SqliteOpenError::Newer { found: 99, .. }), "{error:?}");
    let sentence = error.to_string().replace(&path.display().to_string(), "queue.db");
    assert_eq!(
        sentence,
        "the database queue.db was written by a newer Windlass (schema 99): use that version, or another file"
    );
}

#[tokio::test]
async fn a_file_whose_migration_was_changed_afterwards_is_refused() {
    let (_folder, path) = folder();
    open(&path).await.close().await;
    tamper(&path, "UPDATE _sqlx_migrations SET checksum = x'00'").await;
    let error = SqliteStore::open(&path).await.err().unwrap();
    assert!(matches!(error, SqliteOpenError::Migrate { .. }), "{error:?}");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_named() {
    let (folder, _) = folder();
    let error = SqliteStore::open(&folder.path().join("nowhere/windlass.db")).await.err().unwrap();
    assert!(matches!(error, SqliteOpenError::Open { .. }), "{error:?}");
    assert!(error.to_string().ends_with("windlass.db: is its folder there and writable?"), "{error}");
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    store.job_insert(&[new_job(1), new_job(2)], Some(at(0))).await.unwrap();
    let running = store.job_claim(worker_id(1), &[task("export")], 1, Some(at(1))).await.unwrap().remove(0);
    store.job_finish(&[finished(&running, completed())], Some(at(5))).await.unwrap();
    store.close().await;

    let store = open(&path).await;
    let first = store.job_get(job_id(1)).await.unwrap().unwrap();
    assert_eq!((first.state, first.finished_at), (JobState::Completed, Some(at(5))));
    assert_eq!(store.job_get(job_id(2)).await.unwrap().unwrap().state, JobState::Available);
    assert_eq!(store.event_list(job_id(1), 0, 9).await.unwrap().len(), 3);
    assert_eq!(store.job_claim(worker_id(2), &[task("export")], 9, Some(at(9))).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_second_store_on_the_same_file_sees_what_the_first_committed() {
    let (_folder, path) = folder();
    let (first, second) = (open(&path).await, open(&path).await);
    first.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    let claimed = second.job_claim(worker_id(2), &[task("export")], 9, Some(at(1))).await.unwrap();
    assert_eq!(claimed.len(), 1);
    assert_eq!(first.job_get(job_id(1)).await.unwrap().unwrap().worker_id, Some(worker_id(2)));
}

#[tokio::test]
async fn a_commit_is_on_the_disk_when_it_returns() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    store.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    // A copy of the files as they are now, while the store is open: what a crash at this moment would leave.
    let (_other, copy) = folder_of_copy(&path);
    assert!(open(&copy).await.job_get(job_id(1)).await.unwrap().is_some());
}

fn folder_of_copy(path: &Path) -> (TempDir, PathBuf) {
    let (other, copy) = folder();
    for suffix in ["", "-wal"] {
        let name = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        std::fs::copy(name(path), name(&copy)).unwrap();
    }
    (other, copy)
}

#[tokio::test]
async fn a_closed_store_says_no_and_that_it_may_pass() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    store.close().await;
    let error = store.ping().await.unwrap_err();
    assert!(error.is_passing(), "{error:?}");
    assert_eq!(error.to_string(), "the database is not available for `ping`");
}

#[tokio::test]
async fn a_row_that_this_version_cannot_have_written_is_reported_and_not_guessed_at() {
    let (_folder, path) = folder();
    let store = open(&path).await;
    store.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    tamper(&path, "UPDATE jobs SET priority = 101").await;
    let error = store.job_get(job_id(1)).await.unwrap_err();
    assert!(!error.is_passing());
    assert_eq!(
        error.to_string(),
        "the database holds a value in `priority` that this version does not understand: 101"
    );
}
