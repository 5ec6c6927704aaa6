//! Enqueue, cancel, retry.

use std::time::Duration;

use windlass_model::{AttemptOutcome, ErrorKind, JobState, NewJob, RunAt};
use windlass_store::{CancelOutcome, RetryOutcome};

use crate::fixture::{Fixture, Store, at, done, failed, fatal, finished, id, later, new_job};

pub(crate) async fn jobs_come_back_as_they_are_kept_in_the_given_order<S: Store>(db: &Fixture<S>) {
    let jobs: Vec<NewJob> = [5, 3, 9].map(new_job).into();
    let added = db.store.job_insert(&jobs, Some(at(0))).await.unwrap();
    assert_eq!(added.iter().map(|job| job.id).collect::<Vec<_>>(), [id(5), id(3), id(9)]);
    for (new, kept) in jobs.iter().zip(&added) {
        let read = db.get(new.id).await;
        assert_eq!((&read.args, &read.metadata, &read.tags), (&new.args, &new.metadata, &new.tags));
        assert_eq!(
            (&read.queue, read.max_attempts, read.timeout, read.backoff),
            (&new.queue, 3, new.timeout, new.backoff.clone())
        );
        assert_eq!((read.created_at, read.run_at, kept.created_at), (at(0), at(0), at(0)));
        assert_eq!((read.attempt, read.lease, read.worker_id), (0, 0, None));
    }
}

pub(crate) async fn a_job_of_the_future_is_scheduled_and_any_other_available<S: Store>(db: &Fixture<S>) {
    assert_eq!(db.add(later(1, at(60))).await.state, JobState::Scheduled);
    assert_eq!(db.add(later(2, at(0))).await.state, JobState::Available);
    assert_eq!(db.add(new_job(3)).await.state, JobState::Available);
}

pub(crate) async fn the_first_entry_of_a_history_is_the_first_state<S: Store>(db: &Fixture<S>) {
    db.add(later(1, at(60))).await;
    assert_eq!(db.states(id(1)).await, ["scheduled"]);
}

pub(crate) async fn an_id_that_is_there_already_fails_the_whole_call<S: Store>(db: &Fixture<S>) {
    db.add(new_job(1)).await;
    let error = db.store.job_insert(&[new_job(2), new_job(1)], Some(at(0))).await.unwrap_err();
    assert!(!error.is_passing());
    assert!(db.store.job_get(id(2)).await.unwrap().is_none());
}

pub(crate) async fn an_empty_list_adds_nothing<S: Store>(db: &Fixture<S>) {
    assert!(db.store.job_insert(&[], Some(at(0))).await.unwrap().is_empty());
}

pub(crate) async fn a_job_that_waits_is_cancelled_at_once_and_a_second_time_is_over<S: Store>(db: &Fixture<S>) {
    for job in [new_job(1), later(2, at(60))] {
        let job_id = db.add(job).await.id;
        let CancelOutcome::Cancelled(job) = db.store.job_cancel(job_id, Some(at(2))).await.unwrap() else { panic!() };
        assert_eq!((job.state, job.finished_at), (JobState::Cancelled, Some(at(2))));
        let again = db.store.job_cancel(job_id, Some(at(3))).await.unwrap();
        assert!(matches!(again, CancelOutcome::AlreadyOver(JobState::Cancelled)));
        assert_eq!(db.get(job_id).await.finished_at, Some(at(2)));
        assert_eq!(db.states(job_id).await.last().unwrap(), "cancelled");
    }
}

pub(crate) async fn a_running_job_is_marked_and_goes_on<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    let outcome = db.store.job_cancel(job.id, Some(at(2))).await.unwrap();
    assert!(matches!(outcome, CancelOutcome::Requested(_)));
    assert!(matches!(db.store.job_cancel(job.id, Some(at(3))).await.unwrap(), CancelOutcome::Requested(_)));
    let job = db.get(job.id).await;
    assert_eq!((job.state, job.cancel_requested_at), (JobState::Running, Some(at(2))));
}

pub(crate) async fn a_job_that_is_not_there_is_neither_cancelled_nor_retried<S: Store>(db: &Fixture<S>) {
    assert!(matches!(db.store.job_cancel(id(1), Some(at(0))).await.unwrap(), CancelOutcome::NotFound));
    assert!(matches!(db.store.job_retry(id(1), Some(at(0))).await.unwrap(), RetryOutcome::NotFound));
}

pub(crate) async fn a_retry_forgets_the_end_and_grants_an_attempt<S: Store>(db: &Fixture<S>) {
    db.add(NewJob { max_attempts: 1, ..new_job(1) }).await;
    let job = db.claim(1).await;
    db.store.job_finish(&[failed(&job)], Some(at(2))).await.unwrap();
    assert_eq!(db.get(job.id).await.state, JobState::Discarded);
    let RetryOutcome::Retried(job) = db.store.job_retry(job.id, Some(at(3))).await.unwrap() else { panic!() };
    assert_eq!((job.state, job.run_at, job.finished_at), (JobState::Available, at(3), None));
    assert_eq!((job.error, job.output, job.attempt, job.max_attempts), (None, None, 1, 2));
    assert_eq!(db.claim(1).await.attempt, 2);
    assert_eq!(db.states(job.id).await, ["available", "running", "discarded", "available", "running"]);
}

pub(crate) async fn a_retry_of_a_waiting_job_makes_it_available_now<S: Store>(db: &Fixture<S>) {
    db.add(later(1, at(60))).await;
    let RetryOutcome::Retried(job) = db.store.job_retry(id(1), Some(at(1))).await.unwrap() else { panic!() };
    assert_eq!((job.state, job.run_at, job.max_attempts), (JobState::Available, at(1), 3));
    db.store.job_finish(&[done(&db.claim(1).await)], Some(at(2))).await.unwrap();
    let RetryOutcome::Retried(job) = db.store.job_retry(id(1), Some(at(3))).await.unwrap() else { panic!() };
    assert_eq!((job.state, job.output), (JobState::Available, None));
}

pub(crate) async fn a_running_job_is_not_retried<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    assert!(matches!(db.store.job_retry(job.id, Some(at(2))).await.unwrap(), RetryOutcome::Running));
    assert_eq!(db.get(job.id).await.state, JobState::Running);
}

pub(crate) async fn a_job_after_a_delay_waits_from_its_enqueue_on<S: Store>(db: &Fixture<S>) {
    let after = |seconds| Some(RunAt::After(Duration::from_secs(seconds)));
    let job = db.add(NewJob { run_at: after(30), ..new_job(1) }).await;
    assert_eq!((job.state, job.run_at), (JobState::Scheduled, at(30)));
    let job = db.add(NewJob { run_at: after(0), ..new_job(2) }).await;
    assert_eq!((job.state, job.run_at), (JobState::Available, at(0)));
}

pub(crate) async fn an_id_that_is_twice_in_a_list_fails_the_whole_call<S: Store>(db: &Fixture<S>) {
    let error = db.store.job_insert(&[new_job(1), new_job(1)], Some(at(0))).await.unwrap_err();
    assert!(!error.is_passing());
    assert!(db.store.job_get(id(1)).await.unwrap().is_none());
}

pub(crate) async fn a_retryable_job_is_cancelled_at_once<S: Store>(db: &Fixture<S>) {
    let job = db.record(failed(&db.running(1).await)).await;
    assert!(matches!(db.store.job_cancel(job.id, Some(at(6))).await.unwrap(), CancelOutcome::Cancelled(_)));
    let job = db.get(job.id).await;
    assert_eq!((job.state, job.error.unwrap().kind), (JobState::Cancelled, ErrorKind::Cancelled));
    assert_eq!(db.store.job_promote(9, Some(at(99))).await.unwrap(), 0);
}

pub(crate) async fn a_job_that_is_over_stays_as_it_is_when_it_is_cancelled<S: Store>(db: &Fixture<S>) {
    for (number, state) in [(1, JobState::Completed), (2, JobState::Discarded)] {
        let job = db.running(number).await;
        let before = db.record(if number == 1 { done(&job) } else { fatal(&job) }).await;
        let outcome = db.store.job_cancel(job.id, Some(at(9))).await.unwrap();
        assert!(matches!(outcome, CancelOutcome::AlreadyOver(found) if found == state), "{outcome:?}");
        let after = db.get(job.id).await;
        assert_eq!((after.state, after.finished_at, after.cancel_requested_at), (state, Some(at(5)), None));
        assert_eq!((after.output, after.error), (before.output, before.error));
        assert_eq!(db.states(job.id).await.len(), 3);
    }
}

pub(crate) async fn a_retry_counts_crashes_and_host_faults_anew<S: Store>(db: &Fixture<S>) {
    let mut end = fatal(&db.running(1).await);
    (end.transition.crash_count, end.transition.host_fault_count) = (2, 4);
    let job = db.record(end).await;
    assert_eq!((job.crash_count, job.host_fault_count), (2, 4));
    db.store.job_retry(job.id, Some(at(6))).await.unwrap();
    let job = db.get(job.id).await;
    assert_eq!((job.crash_count, job.host_fault_count), (0, 0));
}

pub(crate) async fn a_retry_forgets_that_somebody_wanted_the_job_cancelled<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    db.store.job_cancel(job.id, Some(at(2))).await.unwrap();
    let job = db.record(finished(&db.get(job.id).await, AttemptOutcome::Cancelled)).await;
    assert_eq!(job.state, JobState::Cancelled);
    db.store.job_retry(job.id, Some(at(6))).await.unwrap();
    let job = db.record(failed(&db.claim(1).await)).await;
    assert_eq!((job.state, job.cancel_requested_at), (JobState::Retryable, None));
}

pub(crate) async fn a_retry_adds_no_attempt_where_some_are_left_and_keeps_those_that_were<S: Store>(db: &Fixture<S>) {
    let job = db.record(fatal(&db.running(1).await)).await;
    db.store.job_retry(job.id, Some(at(6))).await.unwrap();
    let job = db.get(job.id).await;
    assert_eq!((job.attempt, job.max_attempts), (1, 3));
    assert_eq!(db.store.attempt_list(job.id).await.unwrap().len(), 1);
    assert_eq!(db.states(job.id).await, ["available", "running", "discarded", "available"]);
}

pub(crate) async fn a_time_limit_beyond_all_measure_is_kept_as_the_longest<S: Store>(db: &Fixture<S>) {
    let job = db.add(NewJob { timeout: Some(Duration::from_millis(u64::MAX)), ..new_job(1) }).await;
    assert_eq!(job.timeout, Some(Duration::from_millis(i64::MAX.unsigned_abs())));
}
