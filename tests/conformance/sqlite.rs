//! SQLite's fixture, and what is true of a file alone.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;
use windlass_model::{Patch, QueueChange};
use windlass_store::{ChangeSource as _, JobDirectory, JobQueue as _, QueueBoard as _, SqliteOpenError, SqliteStore};

use crate::fixture::{Fixture, Store as _, at, id, new_job, task, worker};

/// A database in a folder of its own.
pub(crate) async fn open() -> Fixture<SqliteStore> {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("windlass.db")).await.unwrap();
    Fixture { store, _keep: Box::new(folder) }
}

#[tokio::test]
async fn every_statement_fits_the_migrated_schema() {
    assert_eq!(open().await.store.prepare_all().await.unwrap(), 103);
}

#[test]
fn the_database_answers_as_the_model_does() {
    crate::model::check(async || Rc::new(open().await));
}

#[tokio::test]
async fn the_schema_is_the_one_that_was_reviewed() {
    insta::assert_snapshot!("sqlite_schema", open().await.store.schema().await.unwrap());
}

/// As the version before last wrote them: each entry of a history a row, bill and digest with the job.
const OLD_JOBS: &str = "
    INSERT INTO jobs (id, task, queue, priority, state, args, max_attempts, backoff, lease, attempt, worker_id, created_at, run_at, started_at, finished_at,
        plugin_digest, bill)
    VALUES
        (x'00000000000000000000000000000001', 'export-csv', 'exports', 0, 'completed', '{}', 3, '{}', 1, 1, NULL, 10, 10, 20, 30, 'abc', NULL),
        (x'00000000000000000000000000000002', 'export-csv', 'exports', 0, 'running', '{}', 3, '{}', 1, 1, x'0000000000000000000000000000000f', 10, 10, 20, NULL, NULL, NULL);
    INSERT INTO job_attempts (job_id, lease, attempt, worker_id, plugin_digest, started_at, ended_at)
    VALUES (x'00000000000000000000000000000001', 1, 1, x'0000000000000000000000000000000f', 'abc', 20, 30);
    INSERT INTO job_events (job_id, seq, at, attempt, kind, state)
    VALUES
        (x'00000000000000000000000000000001', 1, 10, 0, 'state', 'available'),
        (x'00000000000000000000000000000001', 2, 20, 1, 'state', 'running'),
        (x'00000000000000000000000000000001', 3, 30, 1, 'state', 'completed'),
        (x'00000000000000000000000000000002', 1, 10, 0, 'state', 'available'),
        (x'00000000000000000000000000000002', 2, 20, 1, 'state', 'running')";

#[tokio::test]
async fn a_history_of_an_older_version_is_read_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("windlass.db");
    let mut old = SqliteConnectOptions::new().filename(&path).create_if_missing(true).connect().await.unwrap();
    let mut migrations = sqlx::migrate!("../migrations/sqlite");
    migrations.migrations.to_mut().truncate(5);
    migrations.run(&mut old).await.unwrap();
    sqlx::raw_sql(OLD_JOBS).execute(&mut old).await.unwrap();
    drop(old);
    let store = SqliteStore::open(&path).await.unwrap();
    let fixture = Fixture { store, _keep: Box::new(folder) };
    assert_eq!(fixture.states(id(1)).await, ["available", "running", "completed"]);
    assert_eq!(fixture.states(id(2)).await, ["available", "running"]);
    let attempts = fixture.store.attempt_list(id(1)).await.unwrap();
    assert_eq!(attempts[0].plugin_digest.as_deref(), Some("abc"));
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
async fn there_is_nobody_to_hear_from() {
    let db = open().await;
    let mut feed = db.store.changes();
    db.store.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    assert!(tokio::time::timeout(std::time::Duration::ZERO, feed.next()).await.is_err());
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

#[tokio::test]
async fn a_file_of_a_newer_windlass_is_refused() {
    let (_folder, path) = folder();
    reopen(&path).await.close().await;
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
    reopen(&path).await.close().await;
    tamper(&path, "UPDATE _sqlx_migrations SET checksum = x'00'").await;
    let error = SqliteStore::open(&path).await.err().unwrap();
    assert!(matches!(error, SqliteOpenError::Migrate { .. }), "{error:?}");
}

#[tokio::test]
async fn a_second_store_on_the_same_file_sees_what_the_first_committed() {
    let (_folder, path) = folder();
    let (first, second) = (reopen(&path).await, reopen(&path).await);
    first.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    let claimed = second.job_claim(worker(2), &[task()], 9, Some(at(1))).await.unwrap().jobs;
    assert_eq!(claimed.len(), 1);
    assert_eq!(first.job_get(id(1)).await.unwrap().unwrap().worker_id, Some(worker(2)));
}

#[tokio::test]
async fn a_commit_is_on_the_disk_when_it_returns() {
    let (_folder, path) = folder();
    let store = reopen(&path).await;
    store.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    let (_other, copy) = copy_of(&path);
    assert!(reopen(&copy).await.job_get(id(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_closed_store_says_no_and_that_it_may_pass() {
    let (_folder, path) = folder();
    let store = reopen(&path).await;
    store.close().await;
    let error = store.ping().await.unwrap_err();
    assert!(error.is_passing(), "{error:?}");
    assert_eq!(error.to_string(), "the database is not available for `ping`");
}

#[tokio::test]
async fn a_row_that_this_version_cannot_have_written_is_reported_and_not_guessed_at() {
    let (_folder, path) = folder();
    let store = reopen(&path).await;
    store.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    tamper(&path, "UPDATE jobs SET priority = 101").await;
    let error = store.job_get(id(1)).await.unwrap_err();
    assert!(!error.is_passing());
    assert_eq!(
        error.to_string(),
        "the database holds a value in `priority` that this version does not understand: 101"
    );
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("windlass.db");
    (folder, path)
}

async fn reopen(path: &Path) -> SqliteStore {
    SqliteStore::open(path).await.unwrap()
}

/// The files as they are now, while the store is open: what a crash at this moment would leave.
fn copy_of(path: &Path) -> (TempDir, PathBuf) {
    let (other, copy) = folder();
    for suffix in ["", "-wal"] {
        let name = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        std::fs::copy(name(path), name(&copy)).unwrap();
    }
    (other, copy)
}

/// Changes the file behind the store's back.
async fn tamper(path: &Path, sql: &'static str) {
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    sqlx::query(sql).execute(&mut connection).await.unwrap();
}

#[tokio::test]
async fn a_pause_and_its_limits_hold_over_a_restart() {
    let (_folder, path) = folder();
    let store = reopen(&path).await;
    let change =
        QueueChange { paused: Some(true), max_running: Patch::Set(3.try_into().unwrap()), ..QueueChange::default() };
    let queue = store.queue_change(&"exports".parse().unwrap(), &change, Some(at(0))).await.unwrap();
    store.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    store.close().await;
    let store = reopen(&path).await;
    assert!(store.job_claim(worker(1), &[task()], 9, Some(at(1))).await.unwrap().jobs.is_empty());
    assert_eq!(store.queue_list().await.unwrap()[0].settings, queue.settings);
}
