//! Jobs that come after others.

use windlass_model::{JobState, NewJob, OnFailure};
use windlass_store::CancelOutcome;

use crate::fixture::{Fixture, Store, at, done, failed, fatal, id, later, new_job};

fn after(number: u128, parents: &[u128]) -> NewJob {
    NewJob { after: parents.iter().map(|parent| id(*parent)).collect(), ..new_job(number) }
}

impl<S: Store> Fixture<S> {
    async fn state(&self, number: u128) -> JobState {
        self.get(id(number)).await.state
    }
}

pub(crate) async fn a_job_waits_for_all_that_it_comes_after<S: Store>(db: &Fixture<S>) {
    db.add(new_job(1)).await;
    db.add(new_job(2)).await;
    let job = db.add(after(3, &[1, 2])).await;
    assert_eq!((job.state, job.waits_for), (JobState::Scheduled, 2));
    assert_eq!(db.store.job_promote(9, Some(at(100))).await.unwrap(), 0, "time alone does not release it");
    assert!(db.store.job_next_due(Some(at(100))).await.unwrap().is_none());

    let (one, two) = (db.claim(1).await, db.claim(1).await);
    db.record(done(&one)).await;
    assert_eq!((db.state(3).await, db.get(id(3)).await.waits_for), (JobState::Scheduled, 1));
    db.record(done(&two)).await;
    assert_eq!((db.state(3).await, db.get(id(3)).await.waits_for), (JobState::Available, 0));
    assert_eq!(db.states(id(3)).await, ["scheduled", "available"]);
    assert_eq!(db.claim(1).await.id, id(3));
}

pub(crate) async fn a_job_after_one_that_has_completed_waits_for_nothing<S: Store>(db: &Fixture<S>) {
    let running = db.running(1).await;
    db.record(done(&running)).await;
    let job = db.add(after(2, &[1])).await;
    assert_eq!((job.state, job.waits_for), (JobState::Available, 0));
    assert_eq!(db.states(id(2)).await, ["scheduled", "available"]);
}

pub(crate) async fn a_job_that_waited_for_others_still_waits_for_its_time<S: Store>(db: &Fixture<S>) {
    let running = db.running(1).await;
    db.add(NewJob { after: vec![id(1)], ..later(2, at(60)) }).await;
    db.record(done(&running)).await;
    assert_eq!((db.state(2).await, db.get(id(2)).await.waits_for), (JobState::Scheduled, 0));
    assert_eq!(db.store.job_promote(9, Some(at(60))).await.unwrap(), 1);
    assert_eq!(db.state(2).await, JobState::Available);
}

pub(crate) async fn a_chain_breaks_where_a_job_is_discarded_and_all_after_it_are_cancelled<S: Store>(db: &Fixture<S>) {
    let running = db.running(1).await;
    for number in 2..=5 {
        db.add(after(number, &[number - 1])).await;
    }
    db.record(failed(&running)).await;
    assert_eq!(db.state(2).await, JobState::Scheduled, "it may still be tried again");
    db.store.job_retry(id(1), Some(at(6))).await.unwrap();
    let running = db.claim(1).await;
    db.record(fatal(&running)).await;
    for number in 2..=5 {
        let job = db.get(id(number)).await;
        assert_eq!((job.state, job.finished_at), (JobState::Cancelled, Some(at(5))));
        let message = job.error.unwrap().message;
        assert_eq!(message, format!("job {}, which it comes after, did not complete", id(number - 1)));
    }
    let late = db.add(after(6, &[1])).await;
    assert_eq!(late.state, JobState::Cancelled, "what comes later finds it so");
}

pub(crate) async fn a_job_may_run_whatever_became_of_those_before_it<S: Store>(db: &Fixture<S>) {
    let running = db.running(1).await;
    db.add(NewJob { on_failure: OnFailure::Run, ..after(2, &[1]) }).await;
    db.record(fatal(&running)).await;
    assert_eq!(db.state(2).await, JobState::Available);
    let late = db.add(NewJob { on_failure: OnFailure::Run, ..after(3, &[1]) }).await;
    assert_eq!(late.state, JobState::Available);
}

pub(crate) async fn a_cancel_settles_what_comes_after_it<S: Store>(db: &Fixture<S>) {
    db.add(new_job(1)).await;
    db.add(after(2, &[1])).await;
    db.add(NewJob { on_failure: OnFailure::Run, ..after(3, &[1, 2]) }).await;
    let outcome = db.store.job_cancel(id(1), Some(at(3))).await.unwrap();
    assert!(matches!(outcome, CancelOutcome::Cancelled(_)));
    assert_eq!((db.state(2).await, db.state(3).await), (JobState::Cancelled, JobState::Available));
}

pub(crate) async fn a_job_that_waits_is_cancelled_and_later_released_by_nobody<S: Store>(db: &Fixture<S>) {
    let running = db.running(1).await;
    db.add(after(2, &[1])).await;
    db.store.job_cancel(id(2), Some(at(3))).await.unwrap();
    db.record(done(&running)).await;
    assert_eq!(db.state(2).await, JobState::Cancelled);
}

pub(crate) async fn a_retry_by_hand_waits_for_nothing<S: Store>(db: &Fixture<S>) {
    let running = db.running(1).await;
    db.add(after(2, &[1])).await;
    db.store.job_retry(id(2), Some(at(3))).await.unwrap();
    assert_eq!((db.state(2).await, db.get(id(2)).await.waits_for), (JobState::Available, 0));
    assert_eq!(db.claim(2).await.id, id(2));
    db.add(after(3, &[1])).await;
    db.store.job_retry(id(3), Some(at(3))).await.unwrap();
    db.record(fatal(&running)).await;
    assert_eq!(db.state(2).await, JobState::Running);
    assert_eq!(db.state(3).await, JobState::Available, "nor is it cancelled for what it waited for");
}

pub(crate) async fn parents_that_end_in_one_list_release_their_child_once<S: Store>(db: &Fixture<S>) {
    let (one, two) = (db.running(1).await, db.running(2).await);
    db.add(after(3, &[1, 2])).await;
    let ends = [done(&one), done(&two)];
    db.store.job_finish(&ends, Some(at(5))).await.unwrap();
    assert_eq!((db.state(3).await, db.get(id(3)).await.waits_for), (JobState::Available, 0));
    assert_eq!(db.states(id(3)).await, ["scheduled", "available"]);
}

pub(crate) async fn parents_that_end_at_the_same_time_release_their_child_once<S: Store>(db: &Fixture<S>) {
    let parents: Vec<u128> = (1..=8).collect();
    let mut running = Vec::new();
    for parent in &parents {
        running.push(db.running(*parent).await);
    }
    db.add(after(9, &parents)).await;
    let ends: Vec<_> = running.iter().map(|job| [done(job)]).collect();
    let finishes = ends.iter().map(|end| db.store.job_finish(end, Some(at(5))));
    for outcome in futures_util::future::join_all(finishes).await {
        outcome.unwrap();
    }
    assert_eq!((db.state(9).await, db.get(id(9)).await.waits_for), (JobState::Available, 0));
}

pub(crate) async fn a_job_with_thousands_of_dependents_ends_in_bounded_work_and_upkeep_goes_on<S: Store>(
    db: &Fixture<S>,
) {
    let running = db.running(1).await;
    let jobs: Vec<_> = (10..2_260).map(|number| after(number, &[1])).collect();
    db.store.job_insert(&jobs, Some(at(0))).await.unwrap();
    db.record(done(&running)).await;
    let available = async || {
        let filter = windlass_model::JobFilter { states: vec![JobState::Available], ..Default::default() };
        let (mut filter, mut found) = (filter, 0);
        loop {
            let page = db.store.job_list(&filter, windlass_model::PageSize::new(500).unwrap()).await.unwrap();
            found += page.jobs.len();
            filter.after = page.next;
            if filter.after.is_none() {
                return found;
            }
        }
    };
    assert_eq!(available().await, 1_000);
    assert_eq!(db.store.dependency_settle(9, Some(at(6))).await.unwrap(), 1);
    assert_eq!(available().await, 2_000);
    assert_eq!(db.store.dependency_settle(9, Some(at(6))).await.unwrap(), 1);
    assert_eq!(available().await, 2_250);
    assert_eq!(db.store.dependency_settle(9, Some(at(6))).await.unwrap(), 0);
}

pub(crate) async fn a_rescue_that_discards_settles_what_comes_after<S: Store>(db: &Fixture<S>) {
    db.running(1).await;
    db.add(after(2, &[1])).await;
    let bounds = windlass_model::Bounds { max_crashes: 1, ..Default::default() };
    db.store.job_rescue(bounds, 9, Some(at(5))).await.unwrap();
    assert_eq!((db.state(1).await, db.state(2).await), (JobState::Discarded, JobState::Cancelled));
}

pub(crate) async fn a_job_that_is_enqueued_while_the_one_before_it_ends_is_not_forgotten<S: Store>(db: &Fixture<S>) {
    for round in (0..40).map(|round| 10 * round) {
        let running = db.running(round + 1).await;
        let end = [done(&running)];
        let child = |number| db.store.submit(after(round + number, &[round + 1]));
        let (_, outcome, ..) = tokio::join!(child(2), db.store.job_finish(&end, Some(at(5))), child(3), child(4));
        outcome.unwrap();
        for number in 2..=4 {
            let job = db.get(id(round + number)).await;
            assert_eq!((job.state, job.waits_for), (JobState::Available, 0), "job {number} of round {round}");
            db.store.job_cancel(job.id, Some(at(6))).await.unwrap();
        }
    }
}

pub(crate) async fn what_several_see_to_at_once_is_settled_once<S: Store>(db: &Fixture<S>) {
    let running = db.running(1).await;
    db.running(2).await;
    // More than the finish of the first one sees to, so that upkeep and whoever enqueues one more all come to the rest.
    let jobs: Vec<_> = (10..1_510).map(|number| after(number, &[1, 2])).collect();
    db.store.job_insert(&jobs, Some(at(0))).await.unwrap();
    db.record(done(&running)).await;
    let child = |number| db.store.submit(after(number, &[1, 2]));
    let (settled, ..) =
        tokio::join!(db.store.dependency_settle(9, Some(at(6))), child(2_000), child(2_001), child(2_002));
    settled.unwrap();
    for number in (10..1_510).chain(2_000..=2_002) {
        let job = db.get(id(number)).await;
        assert_eq!((job.state, job.waits_for), (JobState::Scheduled, 1), "job {number} still waits for the second");
    }
}
