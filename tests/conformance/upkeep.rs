//! What sets the database right: each promise of `Upkeep`.

use windlass_model::{Bounds, ErrorKind, EventKind, JobState};
use windlass_store::{Beat, CancelOutcome, WorkerSlot};

use crate::fixture::{Fixture, at, completed, due, failed, ids, job_id, new_job, report, seconds, slot, worker_id};

async fn rescue(f: &Fixture, limit: u32, second: i64) -> Vec<windlass_model::JobId> {
    let mut rescued = f.store.job_rescue(Bounds::default(), limit, Some(at(second))).await.unwrap();
    rescued.sort_unstable();
    rescued
}

// job_promote

pub(crate) async fn jobs_whose_time_has_come_are_made_available(f: Fixture) {
    let retryable = f.running(1).await;
    f.finish(&retryable, failed()).await;
    f.add(&[due(2, 10), due(3, 11)]).await;
    assert_eq!(f.store.job_promote(9, Some(at(10))).await.unwrap(), 2);
    let states = [f.get(job_id(1)).await.state, f.get(job_id(2)).await.state, f.get(job_id(3)).await.state];
    assert_eq!(states, [JobState::Available, JobState::Available, JobState::Scheduled]);
}

pub(crate) async fn the_earliest_jobs_are_promoted_first_and_no_more_than_the_limit(f: Fixture) {
    f.add(&[due(1, 30), due(2, 10), due(3, 20)]).await;
    assert_eq!(f.store.job_promote(2, Some(at(60))).await.unwrap(), 2);
    assert_eq!(f.get(job_id(1)).await.state, JobState::Scheduled);
    assert_eq!(f.store.job_promote(0, Some(at(60))).await.unwrap(), 0);
    assert_eq!(f.store.job_promote(2, Some(at(60))).await.unwrap(), 1);
}

pub(crate) async fn a_promoted_job_keeps_its_attempts_and_has_the_change_in_its_history(f: Fixture) {
    let running = f.running(1).await;
    f.finish(&running, failed()).await;
    f.store.job_promote(9, Some(at(60))).await.unwrap();
    let job = f.get(running.id).await;
    assert_eq!((job.attempt, job.max_attempts, job.run_at), (1, 3, at(7)));
    assert!(job.error.is_some());
    let last = f.history(running.id).await.pop().unwrap();
    assert_eq!((last.at, last.attempt), (at(60), 1));
    assert_eq!(last.kind, EventKind::State { state: JobState::Available, reason: None });
}

pub(crate) async fn promoting_again_does_nothing(f: Fixture) {
    f.add(&[due(1, 10)]).await;
    assert_eq!(f.store.job_promote(9, Some(at(10))).await.unwrap(), 1);
    assert_eq!(f.store.job_promote(9, Some(at(10))).await.unwrap(), 0);
    assert_eq!(f.states(job_id(1)).await, [JobState::Scheduled, JobState::Available]);
}

pub(crate) async fn jobs_that_run_or_are_over_are_not_promoted(f: Fixture) {
    let over = f.running(1).await;
    f.finish(&over, completed()).await;
    f.running(2).await;
    assert_eq!(f.store.job_promote(9, Some(at(9_999))).await.unwrap(), 0);
}

// job_next_due

pub(crate) async fn the_next_job_is_due_after_the_shortest_wait(f: Fixture) {
    f.add(&[due(1, 30), due(2, 20), new_job(3)]).await;
    assert_eq!(f.store.job_next_due(Some(at(5))).await.unwrap(), Some(seconds(15)));
}

pub(crate) async fn a_retryable_job_is_waited_for_too(f: Fixture) {
    let running = f.running(1).await;
    f.finish(&running, failed()).await;
    assert_eq!(f.store.job_next_due(Some(at(5))).await.unwrap(), Some(seconds(2)));
}

pub(crate) async fn a_job_that_is_due_already_is_due_at_once(f: Fixture) {
    f.add(&[due(1, 30)]).await;
    for second in [30, 99] {
        assert_eq!(f.store.job_next_due(Some(at(second))).await.unwrap(), Some(seconds(0)));
    }
}

pub(crate) async fn nothing_is_due_if_nothing_waits(f: Fixture) {
    assert_eq!(f.store.job_next_due(Some(at(0))).await.unwrap(), None);
    f.running(1).await;
    f.add(&[new_job(2)]).await;
    assert_eq!(f.store.job_next_due(Some(at(5))).await.unwrap(), None);
}

// job_rescue

pub(crate) async fn jobs_of_a_worker_whose_lease_has_run_out_are_rescued(f: Fixture) {
    f.register(1, 30).await;
    f.running(1).await;
    assert!(rescue(&f, 9, 30).await.is_empty());
    assert_eq!(rescue(&f, 9, 31).await, [job_id(1)]);
    let job = f.get(job_id(1)).await;
    assert_eq!((job.state, job.worker_id, job.run_at), (JobState::Available, None, at(31)));
}

pub(crate) async fn jobs_of_a_worker_that_is_not_there_are_rescued(f: Fixture) {
    f.register(1, 30).await;
    f.running(1).await;
    f.store.worker_remove(worker_id(1)).await.unwrap();
    assert_eq!(rescue(&f, 9, 2).await, [job_id(1)]);
}

pub(crate) async fn a_job_of_a_living_worker_stays(f: Fixture) {
    f.register(1, 30).await;
    f.running(1).await;
    f.store.worker_beat(&slot(1), seconds(30), Some(at(25))).await.unwrap();
    assert!(rescue(&f, 9, 50).await.is_empty());
    let job = f.get(job_id(1)).await;
    assert_eq!((job.state, job.lease, job.crash_count), (JobState::Running, 1, 0));
    assert_eq!(f.states(job_id(1)).await.len(), 2);
}

pub(crate) async fn only_running_jobs_are_rescued(f: Fixture) {
    let over = f.running(1).await;
    f.finish(&over, completed()).await;
    f.add(&[new_job(2), due(3, 60)]).await;
    assert!(rescue(&f, 9, 9_999).await.is_empty());
}

pub(crate) async fn a_rescue_takes_at_most_its_limit(f: Fixture) {
    f.add(&[new_job(1), new_job(2), new_job(3)]).await;
    f.claim(1, 3, at(1)).await;
    let first = rescue(&f, 2, 50).await;
    let second = rescue(&f, 2, 50).await;
    assert_eq!((first.len(), second.len()), (2, 1));
    let mut all = [first, second].concat();
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3].map(job_id));
}

pub(crate) async fn a_rescued_job_does_not_count_the_attempt(f: Fixture) {
    f.running(1).await;
    rescue(&f, 9, 50).await;
    let job = f.get(job_id(1)).await;
    assert_eq!((job.attempt, job.lease, job.crash_count), (0, 1, 1));
    let again = f.claim(2, 1, at(51)).await.remove(0);
    assert_eq!((again.attempt, again.lease), (1, 2));
}

pub(crate) async fn a_rescue_is_an_attempt_and_an_entry_of_the_history(f: Fixture) {
    f.running(1).await;
    rescue(&f, 9, 50).await;
    let attempt = f.attempts(job_id(1)).await.remove(0);
    assert_eq!((attempt.lease, attempt.attempt, attempt.worker_id), (1, 1, worker_id(1)));
    assert_eq!((attempt.started_at, attempt.ended_at), (at(1), Some(at(50))));
    assert_eq!(attempt.error.unwrap().kind, ErrorKind::WorkerLost);
    let last = f.history(job_id(1)).await.pop().unwrap();
    assert_eq!(last.at, at(50));
    let reason = Some("worker_lost: the worker that ran it died".to_owned());
    assert_eq!(last.kind, EventKind::State { state: JobState::Available, reason });
}

pub(crate) async fn a_rescue_leaves_the_lease_stale(f: Fixture) {
    let old = f.running(1).await;
    rescue(&f, 9, 50).await;
    assert!(!f.store.job_report(&report(&old), Some(at(51))).await.unwrap());
    assert!(!f.store.checkpoint_save(old.id, old.lease, b"late").await.unwrap());
}

pub(crate) async fn a_job_that_was_running_in_too_many_crashes_is_discarded(f: Fixture) {
    f.add(&[new_job(1)]).await;
    for crash in 1..=3 {
        let second = i64::from(crash) * 100;
        assert_eq!(f.claim(1, 1, at(second)).await.len(), 1);
        assert_eq!(rescue(&f, 9, second + 50).await, [job_id(1)]);
        assert_eq!(f.get(job_id(1)).await.crash_count, crash);
    }
    let job = f.get(job_id(1)).await;
    assert_eq!((job.state, job.finished_at), (JobState::Discarded, Some(at(350))));
    assert_eq!(job.error.unwrap().kind, ErrorKind::WorkerLost);
}

pub(crate) async fn a_lost_job_that_somebody_wanted_cancelled_is_cancelled(f: Fixture) {
    let running = f.running(1).await;
    f.store.job_cancel(running.id, Some(at(2))).await.unwrap();
    assert_eq!(rescue(&f, 9, 50).await, [job_id(1)]);
    assert_eq!(f.get(running.id).await.state, JobState::Cancelled);
}

pub(crate) async fn rescuing_again_does_nothing(f: Fixture) {
    f.running(1).await;
    assert_eq!(rescue(&f, 9, 50).await.len(), 1);
    assert!(rescue(&f, 9, 50).await.is_empty());
    assert_eq!(f.get(job_id(1)).await.crash_count, 1);
}

// worker_register, worker_beat, worker_expire_others, worker_remove, worker_list

pub(crate) async fn a_worker_is_registered_with_a_lease_from_now(f: Fixture) {
    f.register(1, 30).await;
    let worker = f.store.worker_list().await.unwrap().remove(0);
    let WorkerSlot { id, host, pid, version } = slot(1);
    assert_eq!((worker.id, worker.host, worker.pid, worker.version), (id, host, pid, version));
    assert_eq!((worker.started_at, worker.heartbeat_at, worker.lease_until), (at(1), at(1), at(31)));
}

pub(crate) async fn a_beat_moves_the_lease_and_leaves_the_start(f: Fixture) {
    f.register(1, 30).await;
    f.store.worker_beat(&slot(1), seconds(40), Some(at(11))).await.unwrap();
    let worker = f.store.worker_list().await.unwrap().remove(0);
    assert_eq!((worker.started_at, worker.heartbeat_at, worker.lease_until), (at(1), at(11), at(51)));
}

pub(crate) async fn a_worker_that_has_been_forgotten_is_registered_again_by_its_beat(f: Fixture) {
    f.register(1, 30).await;
    f.store.worker_remove(worker_id(1)).await.unwrap();
    assert_eq!(f.store.worker_beat(&slot(1), seconds(30), Some(at(9))).await.unwrap(), Beat::default());
    let worker = f.store.worker_list().await.unwrap().remove(0);
    assert_eq!((worker.id, worker.started_at, worker.lease_until), (worker_id(1), at(9), at(39)));
}

pub(crate) async fn a_beat_tells_which_held_jobs_somebody_wants_cancelled(f: Fixture) {
    let mine = f.running(1).await;
    f.running(2).await;
    f.add(&[new_job(3)]).await;
    assert_eq!(ids(&f.claim(2, 1, at(1)).await), [job_id(3)]);
    for id in [1, 3] {
        let outcome = f.store.job_cancel(job_id(id), Some(at(2))).await.unwrap();
        assert!(matches!(outcome, CancelOutcome::Requested(_)), "{outcome:?}");
    }
    let beat = f.store.worker_beat(&slot(1), seconds(30), Some(at(3))).await.unwrap();
    assert_eq!(beat.cancel, [(mine.id, 1)]);
    f.finish(&mine, completed()).await;
    let beat = f.store.worker_beat(&slot(1), seconds(30), Some(at(6))).await.unwrap();
    assert_eq!(beat, Beat::default());
}

pub(crate) async fn a_worker_that_owns_the_database_ends_the_lease_of_every_other(f: Fixture) {
    f.register(1, 30).await;
    f.register(2, 30).await;
    f.register(3, 30).await;
    f.running(1).await;
    assert_eq!(f.store.worker_expire_others(worker_id(3), Some(at(5))).await.unwrap(), 2);
    assert_eq!(rescue(&f, 9, 5).await, [job_id(1)]);
    let until: Vec<_> = f.store.worker_list().await.unwrap().into_iter().map(|worker| worker.lease_until).collect();
    assert_eq!(until, [at(5), at(5), at(31)]);
    // What has run out is not counted again.
    assert_eq!(f.store.worker_expire_others(worker_id(3), Some(at(6))).await.unwrap(), 0);
}

pub(crate) async fn a_worker_that_stopped_in_good_order_is_removed_and_only_that_one(f: Fixture) {
    f.register(1, 30).await;
    f.register(2, 30).await;
    f.store.worker_remove(worker_id(1)).await.unwrap();
    f.store.worker_remove(worker_id(1)).await.unwrap();
    let left: Vec<_> = f.store.worker_list().await.unwrap().into_iter().map(|worker| worker.id).collect();
    assert_eq!(left, [worker_id(2)]);
}

pub(crate) async fn workers_are_listed_in_the_order_of_their_start(f: Fixture) {
    assert!(f.store.worker_list().await.unwrap().is_empty());
    for (worker, second) in [(1, 30), (2, 10), (3, 20)] {
        f.store.worker_register(&slot(worker), seconds(9), Some(at(second))).await.unwrap();
    }
    f.store.worker_beat(&slot(2), seconds(9), Some(at(40))).await.unwrap();
    let listed: Vec<_> = f.store.worker_list().await.unwrap().into_iter().map(|worker| worker.id).collect();
    assert_eq!(listed, [2, 3, 1].map(worker_id));
}
