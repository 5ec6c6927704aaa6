//! What sets the database right.

use std::time::Duration;

use windlass_model::{Bounds, ErrorKind, EventKind, JobId, JobState};
use windlass_store::{Beat, FinishOutcome, WorkerSlot};

use crate::fixture::{Fixture, Store, at, done, failed, id, later, new_job, progress, report, slot, task, worker};

const TTL: Duration = Duration::from_secs(30);

async fn rescue<S: Store>(db: &Fixture<S>, seconds: u64) -> Vec<windlass_model::JobId> {
    db.store.job_rescue(Bounds::default(), 100, Some(at(seconds))).await.unwrap()
}

pub(crate) async fn jobs_that_are_due_become_available_the_earliest_first<S: Store>(db: &Fixture<S>) {
    for (number, seconds) in [(1, 30), (2, 10), (3, 20)] {
        db.add(later(number, at(seconds))).await;
    }
    assert_eq!(db.store.job_promote(2, Some(at(40))).await.unwrap(), 2);
    assert_eq!(db.get(id(1)).await.state, JobState::Scheduled);
    assert_eq!(db.get(id(2)).await.state, JobState::Available);
    assert_eq!(db.store.job_promote(2, Some(at(40))).await.unwrap(), 1);
    assert_eq!(db.store.job_promote(2, Some(at(40))).await.unwrap(), 0);
    assert_eq!(db.states(id(1)).await, ["scheduled", "available"]);
}

pub(crate) async fn a_job_that_is_not_due_stays<S: Store>(db: &Fixture<S>) {
    db.add(later(1, at(30))).await;
    assert_eq!(db.store.job_promote(9, Some(at(29))).await.unwrap(), 0);
    assert_eq!(db.store.job_promote(9, Some(at(30))).await.unwrap(), 1);
}

pub(crate) async fn the_next_due_time_is_told<S: Store>(db: &Fixture<S>) {
    assert_eq!(db.store.job_next_due(Some(at(0))).await.unwrap(), None);
    db.add(later(1, at(30))).await;
    db.add(later(2, at(60))).await;
    assert_eq!(db.store.job_next_due(Some(at(10))).await.unwrap(), Some(Duration::from_secs(20)));
    assert_eq!(db.store.job_next_due(Some(at(31))).await.unwrap(), Some(Duration::ZERO));
}

pub(crate) async fn a_job_of_a_dead_worker_is_taken_away_and_costs_no_attempt<S: Store>(db: &Fixture<S>) {
    db.store.worker_register(&slot(1), TTL, Some(at(0))).await.unwrap();
    let job = db.running(1).await;
    assert_eq!(rescue(db, 30).await, [job.id]);
    let job = db.get(job.id).await;
    assert_eq!((job.state, job.attempt, job.crash_count, job.worker_id), (JobState::Available, 0, 1, None));
    let attempts = db.store.attempt_list(job.id).await.unwrap();
    assert_eq!(attempts[0].error.as_ref().unwrap().kind, ErrorKind::WorkerLost);
    assert!(rescue(db, 31).await.is_empty());
    assert_eq!(db.claim(2).await.lease, 2);
}

pub(crate) async fn a_job_of_a_living_worker_stays<S: Store>(db: &Fixture<S>) {
    db.store.worker_register(&slot(1), TTL, Some(at(0))).await.unwrap();
    let job = db.running(1).await;
    assert!(rescue(db, 29).await.is_empty());
    db.store.worker_beat(&slot(1), TTL, Some(at(29))).await.unwrap();
    assert!(rescue(db, 58).await.is_empty());
    assert_eq!(db.get(job.id).await.state, JobState::Running);
}

pub(crate) async fn a_job_of_a_worker_that_is_not_there_is_taken_away<S: Store>(db: &Fixture<S>) {
    db.store.worker_register(&slot(1), TTL, Some(at(0))).await.unwrap();
    let job = db.running(1).await;
    db.store.worker_remove(worker(1)).await.unwrap();
    assert_eq!(rescue(db, 2).await, [job.id]);
}

pub(crate) async fn a_rescue_is_bounded<S: Store>(db: &Fixture<S>) {
    let jobs: Vec<_> = (1..=5).map(new_job).collect();
    db.store.job_insert(&jobs, Some(at(0))).await.unwrap();
    db.store.job_claim(worker(1), &[task()], 5, Some(at(1))).await.unwrap();
    assert_eq!(db.store.job_rescue(Bounds::default(), 3, Some(at(2))).await.unwrap().len(), 3);
    assert_eq!(db.store.job_rescue(Bounds::default(), 3, Some(at(2))).await.unwrap().len(), 2);
}

pub(crate) async fn a_job_of_three_dead_workers_is_discarded<S: Store>(db: &Fixture<S>) {
    db.add(new_job(1)).await;
    for crash in 1..=3 {
        db.claim(crash).await;
        rescue(db, 2).await;
    }
    let job = db.get(id(1)).await;
    assert_eq!((job.state, job.error.unwrap().kind), (JobState::Discarded, ErrorKind::WorkerLost));
}

pub(crate) async fn a_rescued_job_keeps_what_it_told<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    db.store.job_report(&report(&job, progress(40, 2)), Some(at(1))).await.unwrap();
    rescue(db, 2).await;
    assert_eq!(db.get(job.id).await.progress, progress(40, 2));
}

async fn disclaim<S: Store>(db: &Fixture<S>, held: &[(JobId, u64)], limit: u32, seconds: u64) -> Vec<JobId> {
    db.store.job_disclaim(worker(1), held, TTL, limit, Some(at(seconds))).await.unwrap()
}

pub(crate) async fn a_job_that_its_worker_does_not_know_of_is_handed_back<S: Store>(db: &Fixture<S>) {
    db.store.worker_register(&slot(1), TTL, Some(at(0))).await.unwrap();
    let (held, lost) = (db.running(1).await, db.running(2).await);
    assert_eq!(disclaim(db, &[(held.id, 1)], 9, 31).await, [lost.id]);
    let job = db.get(lost.id).await;
    assert_eq!((job.state, job.attempt, job.crash_count, job.lease), (JobState::Available, 0, 0, 1));
    assert_eq!(db.get(held.id).await.state, JobState::Running);
    let attempts = db.store.attempt_list(lost.id).await.unwrap();
    assert_eq!(attempts[0].error.as_ref().unwrap().kind, ErrorKind::Host);
    assert_eq!(db.states(lost.id).await, ["available", "running", "available"]);
    // An answer that comes after all belongs to a lease that is over.
    assert!(matches!(db.store.job_finish(&[done(&lost)], Some(at(32))).await.unwrap()[..], [FinishOutcome::Stale]));
}

pub(crate) async fn a_job_that_its_worker_holds_or_has_just_claimed_is_not_handed_back<S: Store>(db: &Fixture<S>) {
    let (first, _) = (db.running(1).await, db.running(2).await);
    assert!(disclaim(db, &[], 9, 30).await.is_empty());
    db.add(new_job(3)).await;
    let other = db.claim(2).await;
    // Held under another lease is not held.
    assert_eq!(disclaim(db, &[(first.id, 1), (id(2), 7)], 9, 31).await, [id(2)]);
    assert_eq!(db.get(other.id).await.state, JobState::Running);
}

pub(crate) async fn handing_back_is_bounded<S: Store>(db: &Fixture<S>) {
    for number in 1..=3 {
        db.running(number).await;
    }
    assert_eq!(disclaim(db, &[], 2, 31).await.len(), 2);
    assert_eq!(disclaim(db, &[], 2, 31).await.len(), 1);
}

pub(crate) async fn a_worker_that_was_rescued_from_cannot_finish<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    rescue(db, 2).await;
    assert!(matches!(db.store.job_finish(&[done(&job)], Some(at(3))).await.unwrap()[..], [FinishOutcome::Stale]));
    db.claim(1).await;
    assert!(matches!(db.store.job_finish(&[done(&job)], Some(at(3))).await.unwrap()[..], [FinishOutcome::Stale]));
    assert_eq!(db.get(job.id).await.state, JobState::Running);
}

pub(crate) async fn a_heartbeat_says_which_jobs_are_to_be_cancelled<S: Store>(db: &Fixture<S>) {
    let (first, _) = (db.running(1).await, db.running(2).await);
    db.store.job_cancel(first.id, Some(at(2))).await.unwrap();
    let beat = db.store.worker_beat(&slot(1), TTL, Some(at(3))).await.unwrap();
    assert_eq!(beat.cancel, [(first.id, 1)]);
    assert!(db.store.worker_beat(&slot(2), TTL, Some(at(3))).await.unwrap().cancel.is_empty());
}

pub(crate) async fn a_forgotten_worker_is_registered_again_by_its_heartbeat<S: Store>(db: &Fixture<S>) {
    db.store.worker_register(&slot(1), TTL, Some(at(0))).await.unwrap();
    db.store.worker_remove(worker(1)).await.unwrap();
    assert!(db.store.worker_list().await.unwrap().is_empty());
    db.store.worker_beat(&slot(1), TTL, Some(at(5))).await.unwrap();
    let workers = db.store.worker_list().await.unwrap();
    assert_eq!((workers.len(), workers[0].heartbeat_at, workers[0].lease_until), (1, at(5), at(35)));
}

pub(crate) async fn the_others_can_be_declared_dead<S: Store>(db: &Fixture<S>) {
    for number in [1, 2] {
        db.store.worker_register(&slot(number), TTL, Some(at(0))).await.unwrap();
    }
    let job = db.running(1).await;
    assert_eq!(db.store.worker_expire_others(worker(2), Some(at(1))).await.unwrap(), 1);
    assert_eq!(rescue(db, 1).await, [job.id]);
    let workers = db.store.worker_list().await.unwrap();
    assert_eq!(workers.iter().filter(|worker| worker.lease_until > at(1)).count(), 1);
}

pub(crate) async fn a_promoted_job_keeps_its_attempts_and_has_the_change_in_its_history<S: Store>(db: &Fixture<S>) {
    let waiting = db.record(failed(&db.running(1).await)).await;
    assert_eq!(db.store.job_promote(9, Some(at(60))).await.unwrap(), 1);
    let job = db.get(waiting.id).await;
    assert_eq!((job.state, job.attempt, job.run_at, job.error), (JobState::Available, 1, at(7), waiting.error));
    let last = db.history(job.id).await.remove(3);
    assert_eq!((last.at, last.attempt), (at(60), 1));
    assert_eq!(last.kind, EventKind::State { state: JobState::Available, reason: None });
}

pub(crate) async fn jobs_that_run_or_are_over_are_neither_promoted_nor_due<S: Store>(db: &Fixture<S>) {
    db.record(done(&db.running(1).await)).await;
    db.running(2).await;
    db.add(new_job(3)).await;
    assert_eq!(db.store.job_promote(9, Some(at(9_999))).await.unwrap(), 0);
    assert_eq!(db.store.job_next_due(Some(at(9))).await.unwrap(), None);
}

pub(crate) async fn a_retryable_job_is_waited_for_too<S: Store>(db: &Fixture<S>) {
    db.record(failed(&db.running(1).await)).await;
    assert_eq!(db.store.job_next_due(Some(at(5))).await.unwrap(), Some(Duration::from_secs(2)));
}

pub(crate) async fn only_running_jobs_are_rescued<S: Store>(db: &Fixture<S>) {
    db.record(done(&db.running(1).await)).await;
    db.record(failed(&db.running(2).await)).await;
    db.add(new_job(3)).await;
    db.add(later(4, at(60))).await;
    assert!(rescue(db, 9_999).await.is_empty());
}

pub(crate) async fn a_rescue_is_an_attempt_and_an_entry_of_the_history<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    rescue(db, 50).await;
    let attempt = db.store.attempt_list(job.id).await.unwrap().remove(0);
    assert_eq!((attempt.lease, attempt.attempt, attempt.worker_id), (1, 1, worker(1)));
    assert_eq!((attempt.started_at, attempt.ended_at), (at(1), Some(at(50))));
    let last = db.history(job.id).await.remove(2);
    let reason = Some("worker_lost: the worker that ran it died".to_owned());
    assert_eq!((last.at, last.kind), (at(50), EventKind::State { state: JobState::Available, reason }));
}

pub(crate) async fn a_lost_job_that_somebody_wants_cancelled_is_cancelled<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    db.store.job_cancel(job.id, Some(at(2))).await.unwrap();
    assert_eq!(rescue(db, 50).await, [job.id]);
    let job = db.get(job.id).await;
    assert_eq!((job.state, job.finished_at), (JobState::Cancelled, Some(at(50))));
}

pub(crate) async fn a_registered_worker_has_a_lease_from_now_and_a_beat_leaves_its_start<S: Store>(db: &Fixture<S>) {
    db.store.worker_register(&slot(1), TTL, Some(at(1))).await.unwrap();
    let worker = db.store.worker_list().await.unwrap().remove(0);
    let WorkerSlot { id, host, pid, version } = slot(1);
    assert_eq!((worker.id, worker.host, worker.pid, worker.version), (id, host, pid, version));
    assert_eq!((worker.started_at, worker.heartbeat_at, worker.lease_until), (at(1), at(1), at(31)));
    db.store.worker_beat(&slot(1), TTL, Some(at(11))).await.unwrap();
    let worker = db.store.worker_list().await.unwrap().remove(0);
    assert_eq!((worker.started_at, worker.heartbeat_at, worker.lease_until), (at(1), at(11), at(41)));
}

pub(crate) async fn a_heartbeat_is_silent_about_jobs_that_ended<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    db.store.job_cancel(job.id, Some(at(2))).await.unwrap();
    db.record(done(&job)).await;
    assert_eq!(db.store.worker_beat(&slot(1), TTL, Some(at(6))).await.unwrap(), Beat::default());
}

pub(crate) async fn a_lease_that_has_run_out_is_not_ended_again<S: Store>(db: &Fixture<S>) {
    db.store.worker_register(&slot(1), TTL, Some(at(0))).await.unwrap();
    assert_eq!(db.store.worker_expire_others(worker(2), Some(at(5))).await.unwrap(), 1);
    assert_eq!(db.store.worker_expire_others(worker(2), Some(at(6))).await.unwrap(), 0);
    assert_eq!(db.store.worker_list().await.unwrap()[0].lease_until, at(5));
}

pub(crate) async fn workers_are_listed_by_their_start_and_removed_one_by_one<S: Store>(db: &Fixture<S>) {
    for (number, seconds) in [(1, 30), (2, 10), (3, 20)] {
        db.store.worker_register(&slot(number), TTL, Some(at(seconds))).await.unwrap();
    }
    db.store.worker_beat(&slot(2), TTL, Some(at(40))).await.unwrap();
    let listed = async || {
        let workers = db.store.worker_list().await.unwrap();
        workers.into_iter().map(|worker| worker.id).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [2, 3, 1].map(worker));
    db.store.worker_remove(worker(3)).await.unwrap();
    db.store.worker_remove(worker(3)).await.unwrap();
    assert_eq!(listed().await, [2, 1].map(worker));
}
