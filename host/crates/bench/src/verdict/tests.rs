//! What the verdict says of good jobs, and of rows that somebody tampered with.

use std::path::Path;

use sqlx::ConnectOptions as _;
use sqlx::sqlite::SqliteConnectOptions;
use windlass_model::{
    Attempt, AttemptFacts, AttemptOutcome, Bounds, JsonText, NewJob, TaskName, Timestamp, Transition, WorkerId,
};
use windlass_store::{Finished, JobInbox as _, JobQueue as _, SqliteStore};

use super::*;
use crate::load::measured;

fn good() -> Lifecycle {
    Lifecycle {
        jobs: 5,
        example: JobId::from_uuid(Uuid::from_u128(7)),
        state: JobState::Completed,
        lease: 1,
        has_output: true,
        attempts: 1,
        attempt_lease: Some(1),
        failures: 0,
        waiting_entries: 1,
        running_entries: 1,
        completed_entries: 1,
        other_entries: 0,
    }
}

#[test]
fn jobs_that_completed_once_have_no_fault() {
    assert_eq!(judge(&[good()], 5), [""; 0]);
    let delayed = Lifecycle { waiting_entries: 2, ..good() };
    assert_eq!(judge(&[good(), delayed], 10), [""; 0]);
}

#[test]
fn a_job_that_is_missing_or_too_many_is_counted() {
    assert_eq!(judge(&[good()], 6), ["there are 5 jobs; 6 were acknowledged"]);
    assert_eq!(judge(&[good()], 4), ["there are 5 jobs; 4 were acknowledged"]);
    assert_eq!(judge(&[], 1), ["there are 0 jobs; 1 were acknowledged"]);
}

#[test]
fn whatever_happened_twice_or_not_is_named() {
    let example = "such as 00000000-0000-0000-0000-000000000007";
    let cases = [
        (Lifecycle { state: JobState::Running, lease: 3, ..good() }, "5 jobs are running and not completed"),
        (Lifecycle { lease: 2, attempt_lease: Some(2), ..good() }, "5 completed jobs were claimed 2 times"),
        (Lifecycle { attempts: 0, attempt_lease: None, ..good() }, "5 completed jobs have 0 attempts"),
        (Lifecycle { attempts: 2, ..good() }, "5 completed jobs have 2 attempts"),
        (Lifecycle { attempt_lease: Some(2), ..good() }, "5 completed jobs have an attempt under another lease"),
        (Lifecycle { failures: 1, ..good() }, "5 completed jobs have 1 attempts that failed"),
        (Lifecycle { waiting_entries: 0, ..good() }, "5 completed jobs became available 0 times"),
        (Lifecycle { waiting_entries: 3, ..good() }, "5 completed jobs became available 3 times"),
        (Lifecycle { running_entries: 2, ..good() }, "5 completed jobs have 2 entries `running` in their history"),
        (Lifecycle { completed_entries: 0, ..good() }, "5 completed jobs have 0 entries `completed` in their history"),
        (Lifecycle { other_entries: 1, ..good() }, "5 completed jobs have 1 entries of other states in their history"),
        (Lifecycle { has_output: false, ..good() }, "5 completed jobs have no output"),
    ];
    for (found, fault) in cases {
        assert_eq!(judge(&[found], 5), [format!("{fault}, {example}")]);
    }
}

/// Ten jobs that completed, in a file.
async fn ten(path: &Path) -> (SqliteStore, Vec<Uuid>) {
    let store = SqliteStore::open(path).await.unwrap();
    let (task, worker) = (TaskName::parse("noop").unwrap(), WorkerId::from_uuid(Uuid::from_u128(1)));
    let ids: Vec<_> = (1..=10).map(Uuid::from_u128).collect();
    let jobs: Vec<_> = ids.iter().map(|id| new_job(&task, *id)).collect();
    store.job_submit(&[jobs.into()], None).await.unwrap();
    let claimed = store.job_claim(worker, std::slice::from_ref(&task), 10, None).await.unwrap().jobs;
    assert_eq!(claimed.len(), 10);
    let done = || AttemptOutcome::Completed(JsonText::parse("{}").unwrap());
    let ends = claimed.iter().map(|job| Finished {
        attempt: Attempt {
            job_id: job.id,
            lease: job.lease,
            attempt: job.attempt,
            worker_id: worker,
            plugin_digest: None,
            started_at: Timestamp::EPOCH,
            ended_at: None,
            error: None,
            bill: None,
        },
        transition: Transition::after(AttemptFacts::of(job), done(), Bounds::default(), 0.0),
        progress: Default::default(),
        steps: Vec::new(),
        logs: Vec::new(),
        artifacts: Vec::new(),
    });
    store.job_finish(&ends.collect::<Vec<_>>(), None).await.unwrap();
    (store, ids)
}

fn new_job(task: &TaskName, id: Uuid) -> NewJob {
    NewJob {
        id: JobId::from_uuid(id),
        task: task.clone(),
        queue: measured(),
        priority: Default::default(),
        args: JsonText::parse("{}").unwrap(),
        run_at: None,
        expires_at: None,
        max_attempts: 1,
        timeout: None,
        backoff: Default::default(),
        concurrency_key: None,
        unique: None,
        after: Vec::new(),
        on_failure: Default::default(),
        parent: None,
        tags: Vec::new(),
        metadata: JsonText::parse("{}").unwrap(),
    }
}

/// What is wrong after a change of the file behind the store's back.
async fn after(change: &'static str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("windlass.db");
    let (store, ids) = ten(&path).await;
    let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    sqlx::raw_sql(change).execute(&mut connection).await.unwrap();
    faults(&store, &measured(), &ids).await.unwrap()
}

#[tokio::test]
async fn rows_as_the_store_writes_them_have_no_fault() {
    assert_eq!(after("SELECT 1").await, [""; 0]);
}

#[tokio::test]
async fn a_row_that_is_doubled_or_missing_is_found() {
    let one = "x'00000000000000000000000000000003'";
    let example = "such as 00000000-0000-0000-0000-000000000003";
    let attempt = "INSERT INTO job_attempts (job_id, lease, attempt, worker_id, started_at, ended_at) SELECT job_id, 2, 2, worker_id, \
                   started_at, ended_at FROM job_attempts";
    let entry = "INSERT INTO job_events (job_id, seq, at, attempt, kind, state) SELECT job_id, 9, at, attempt, kind, state FROM job_history";
    let cases = [
        (format!("DELETE FROM job_attempts WHERE job_id = {one}"), "1 completed jobs have 0 attempts"),
        (format!("{attempt} WHERE job_id = {one}"), "1 completed jobs have 2 attempts"),
        (
            format!("UPDATE job_attempts SET state = NULL WHERE job_id = {one}"),
            "1 completed jobs have 0 entries `running` in their history",
        ),
        (
            format!("{entry} WHERE state = 'completed' AND job_id = {one}"),
            "1 completed jobs have 2 entries `completed` in their history",
        ),
        (
            format!("{entry} WHERE state = 'running' AND job_id = {one}"),
            "1 completed jobs have 2 entries `running` in their history",
        ),
        (format!("UPDATE jobs SET output = NULL WHERE id = {one}"), "1 completed jobs have no output"),
        (format!("UPDATE jobs SET lease = 2 WHERE id = {one}"), "1 completed jobs were claimed 2 times"),
        (
            format!("UPDATE jobs SET state = 'running', finished_at = NULL, worker_id = x'07' WHERE id = {one}"),
            "1 jobs are running and not completed",
        ),
    ];
    for (change, fault) in cases {
        // A test's own texts, which live as long as it does.
        let found = after(change.leak()).await;
        assert_eq!(found.first(), Some(&format!("{fault}, {example}")), "{found:?}");
    }
}

#[tokio::test]
async fn a_job_that_was_acknowledged_and_is_not_there_is_found() {
    let found =
        after("PRAGMA foreign_keys = ON; DELETE FROM jobs WHERE id = x'00000000000000000000000000000003'").await;
    let lost = "1 jobs were acknowledged and are not there, such as 00000000-0000-0000-0000-000000000003";
    assert_eq!(found, ["there are 9 jobs; 10 were acknowledged", lost]);
}

#[tokio::test]
async fn an_id_that_was_answered_twice_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut ids) = ten(&folder.path().join("windlass.db")).await;
    ids[9] = ids[8];
    assert_eq!(faults(&store, &measured(), &ids).await.unwrap(), ["1 ids were answered more than once"]);
}
