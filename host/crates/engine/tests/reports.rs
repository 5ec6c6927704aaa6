//! What a running job tells is written while it runs, and nothing of it is lost when it ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use windlass_engine::EngineSettings;
use windlass_model::JobState;

use support::{Echo, MemoryQueue, job, start};

#[tokio::test(flavor = "multi_thread")]
async fn a_job_ends_after_the_report_that_is_being_written() {
    let queue = Arc::new(MemoryQueue { reports: Some(Semaphore::new(0)), ..MemoryQueue::default() });
    let runner = Arc::new(Echo::default());
    queue.put(std::iter::once(job(true)));
    let settings = EngineSettings { report_every: Duration::from_millis(5), ..EngineSettings::default() };
    let (engine, _folder) = start(&queue, &runner, settings).await;
    queue.reporting.notified().await;
    runner.gate.add_permits(1);
    // Its end would make the report stale, and the step in it would be in no history.
    let early = tokio::time::timeout(Duration::from_millis(300), queue.until(|_, ended| ended == 1)).await;
    assert!(early.is_err(), "the end overtook the report");
    queue.reports.as_ref().unwrap().add_permits(1);
    queue.until(|_, ended| ended == 1).await;
    let ended = queue.take_ended();
    assert_eq!((ended[0].transition.to, ended[0].steps.len()), (JobState::Completed, 0));
    assert!(queue.running().is_empty());
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_over_at_once_writes_nothing_before_its_end() {
    let queue = Arc::new(MemoryQueue { reports: Some(Semaphore::new(0)), ..MemoryQueue::default() });
    queue.put((0..1_000).map(|_| job(false)));
    let (engine, _folder) = start(&queue, &Arc::new(Echo::default()), EngineSettings::default()).await;
    queue.until(|_, ended| ended == 1_000).await;
    assert!(queue.take_ended().iter().all(|ended| ended.progress.percent_complete == Some(50)));
    engine.shutdown().await;
}
