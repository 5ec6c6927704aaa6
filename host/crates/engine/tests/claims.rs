//! Jobs that are claimed ahead of their slots: none is lost, none starts twice, none loses an attempt, none lies long.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use windlass_engine::EngineSettings;
use windlass_model::JobState;
use windlass_store::Finished;

use support::{Echo, MemoryQueue, job, start};

const SLOTS: u32 = 4;

/// So many that the slots are busy with them for longer than a claim takes.
const FAST: usize = 20_000;

/// And then so many that wait at the gate.
const MORE: usize = 2_000;

fn settings(claimed_ttl: Duration) -> EngineSettings {
    let hour = Duration::from_secs(3_600);
    EngineSettings {
        slots: SLOTS,
        claimed_ttl,
        poll_every: hour,
        heartbeat_every: hour,
        worker_ttl: 2 * hour,
        ..EngineSettings::default()
    }
}

/// An engine whose slots ran many jobs fast and are all held now by jobs that wait at the gate, with more of those claimed ahead.
async fn held(claimed_ttl: Duration) -> (Arc<MemoryQueue>, Arc<Echo>, windlass_engine::Engine, tempfile::TempDir) {
    let (queue, runner) = (Arc::new(MemoryQueue::default()), Arc::new(Echo::default()));
    queue.put((0..FAST + MORE).map(|n| job(n >= FAST)));
    let (engine, folder) = start(&queue, &runner, settings(claimed_ttl)).await;
    queue.until(|running, ended| ended >= FAST && running > SLOTS as usize).await;
    (queue, runner, engine, folder)
}

fn handed_back(finished: &[Finished]) -> Vec<&Finished> {
    finished.iter().filter(|finished| finished.transition.to == JobState::Available).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_no_slot_takes_in_time_is_handed_back_and_keeps_its_attempt() {
    let (queue, runner, engine, _folder) = held(Duration::from_millis(100)).await;
    // Nothing moves any more, so nothing is claimed ahead again: what is left is what runs.
    queue.until(|running, _| running == SLOTS as usize).await;
    let ended = queue.take_ended();
    let back = handed_back(&ended);
    assert!(!back.is_empty());
    for finished in back {
        assert!(!finished.transition.counts);
        let reason = finished.transition.reason.as_deref();
        assert_eq!(reason, Some("handed back: no slot became free on the worker that claimed it"));
    }
    runner.gate.add_permits(MORE);
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_hands_back_what_was_claimed_ahead_at_once() {
    let (queue, runner, engine, _folder) = held(Duration::from_secs(3_600)).await;
    let stopping = tokio::spawn(engine.shutdown());
    queue.until(|running, _| running <= SLOTS as usize).await;
    runner.gate.add_permits(SLOTS as usize);
    stopping.await.unwrap();
    assert!(queue.running().is_empty());
    let ended = queue.take_ended();
    let back = handed_back(&ended);
    let why =
        |finished: &&Finished| finished.transition.reason.as_deref() == Some("handed back: the worker shuts down");
    assert!(!back.is_empty() && back.iter().all(why));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_comes_while_a_job_waits_for_its_slot_holds() {
    let (queue, runner, engine, _folder) = held(Duration::from_secs(3_600)).await;
    let last = queue.running().into_iter().max_by_key(|job| job.id).unwrap().id;
    engine.handle().cancel(last).await.unwrap();
    runner.gate.add_permits(MORE);
    queue.until(|running, ended| running == 0 && ended == FAST + MORE).await;
    for finished in queue.take_ended() {
        let to = if finished.attempt.job_id == last { JobState::Cancelled } else { JobState::Completed };
        assert_eq!(finished.transition.to, to);
    }
    engine.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_are_claimed_ahead_count_for_the_limit_of_their_task() {
    let queue = Arc::new(MemoryQueue::default());
    let runner = Arc::new(Echo { concurrency: Some(2), ..Echo::default() });
    queue.put((0..FAST + 100).map(|n| job(n >= FAST)));
    let (engine, _folder) = start(&queue, &runner, settings(Duration::from_secs(3_600))).await;
    queue.until(|running, ended| ended >= FAST && running == 2).await;
    runner.gate.add_permits(10);
    queue.until(|running, ended| ended >= FAST + 10 && running == 2).await;
    runner.gate.add_permits(100);
    engine.shutdown().await;
}
