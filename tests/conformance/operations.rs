//! Cancels and retries of many jobs.

use std::time::Duration;

use futures_util::future::join_all;
use windlass_model::{
    ErrorKind, FinalStates, JobFilter, JobState, NewJob, Operation, OperationId, OperationKind, Unique, UniqueMode,
};

use crate::fixture::{Fixture, Store, at, done, failed, fatal, id, later, new_job, task, worker};

fn operation(number: u128) -> OperationId {
    OperationId::from_uuid(uuid::Uuid::from_u128(number))
}

fn of_state(state: JobState) -> JobFilter {
    JobFilter { states: vec![state], ..JobFilter::default() }
}

impl<S: Store> Fixture<S> {
    async fn start(&self, number: u128, kind: OperationKind, filter: &JobFilter) -> Operation {
        self.store.operation_start(operation(number), kind, filter, Some(at(10))).await.unwrap()
    }

    /// Does an operation to its end, and returns it.
    async fn do_all(&self, kind: OperationKind, filter: &JobFilter) -> Operation {
        let started = self.start(1, kind, filter).await;
        loop {
            let step = self.store.operation_step(Some(at(20))).await.unwrap().expect("it is not over");
            assert_eq!(step.operation.id, started.id);
            if step.operation.finished_at.is_some() {
                assert!(self.store.operation_step(Some(at(20))).await.unwrap().is_none());
                return self.store.operation_get(started.id).await.unwrap().unwrap();
            }
        }
    }
}

pub(crate) async fn an_operation_is_kept_as_it_was_asked_for<S: Store>(db: &Fixture<S>) {
    db.add(new_job(1)).await;
    let filter = JobFilter {
        states: vec![JobState::Available, JobState::Retryable],
        task: Some(task()),
        queue: Some("exports".parse().unwrap()),
        tag: Some("nightly \"ü\"".to_owned()),
        created_from: Some(at(0)),
        created_before: Some(at(9).plus(Duration::from_micros(1))),
        after: None,
    };
    let started = db.start(7, OperationKind::Retry, &filter).await;
    let kept = db.store.operation_get(operation(7)).await.unwrap().unwrap();
    for found in [started, kept] {
        assert_eq!((found.id, found.kind, &found.filter), (operation(7), OperationKind::Retry, &filter));
        assert_eq!((found.seen, found.changed, found.created_at, found.finished_at), (0, 0, at(10), None));
    }
    assert_eq!(db.get(id(1)).await.state, JobState::Available, "nothing is done yet");
    db.store.operation_start(operation(7), OperationKind::Retry, &filter, None).await.unwrap_err();
}

pub(crate) async fn a_step_does_a_page_of_jobs_and_the_next_goes_on_behind_it<S: Store>(db: &Fixture<S>) {
    let jobs: Vec<_> = (1..=450).map(|number| later(number, at(99))).collect();
    db.store.job_insert(&jobs, Some(at(0))).await.unwrap();
    db.start(1, OperationKind::Cancel, &JobFilter::default()).await;
    let mut changed = Vec::new();
    for (seen, is_over) in [(200, false), (400, false), (450, true)] {
        let step = db.store.operation_step(Some(at(20))).await.unwrap().unwrap();
        assert_eq!((step.operation.seen, step.operation.changed), (seen, seen));
        assert_eq!(step.operation.finished_at, is_over.then_some(at(20)));
        changed.extend(step.changed);
    }
    assert!(db.store.operation_step(Some(at(20))).await.unwrap().is_none());
    changed.sort();
    assert_eq!(changed, (1..=450).map(id).collect::<Vec<_>>());
    assert_eq!(db.store.job_counts().await.unwrap().get(JobState::Cancelled), 450);
}

pub(crate) async fn each_kind_of_job_is_cancelled_as_by_itself<S: Store>(db: &Fixture<S>) {
    db.record(done(&db.running(1).await)).await;
    db.record(failed(&db.running(2).await)).await;
    let running = db.running(3).await;
    db.add(new_job(4)).await;
    db.add(later(5, at(99))).await;
    db.add(NewJob { after: vec![id(4)], ..new_job(6) }).await;
    db.start(1, OperationKind::Cancel, &JobFilter::default()).await;
    let step = db.store.operation_step(Some(at(20))).await.unwrap().unwrap();
    assert_eq!(step.to_stop, [(running.id, running.lease)]);
    assert_eq!((step.operation.seen, step.operation.changed), (6, 5));
    for number in [2, 4, 5, 6] {
        let job = db.get(id(number)).await;
        assert_eq!((job.state, job.finished_at), (JobState::Cancelled, Some(at(20))));
        assert_eq!(job.error.unwrap().kind, ErrorKind::Cancelled);
        assert_eq!(db.states(id(number)).await.last().unwrap(), "cancelled");
    }
    assert_eq!(db.get(id(1)).await.state, JobState::Completed);
    let told = db.get(id(3)).await;
    assert_eq!((told.state, told.cancel_requested_at), (JobState::Running, Some(at(20))));
}

pub(crate) async fn each_kind_of_job_is_retried_as_by_itself<S: Store>(db: &Fixture<S>) {
    db.record(done(&db.running(1).await)).await;
    db.record(fatal(&db.running(2).await)).await;
    db.running(3).await;
    db.add(later(4, at(99))).await;
    let unique = Unique { key: "k".to_owned(), mode: UniqueMode::Keep, held_in: FinalStates::default() };
    let holder = |number| NewJob { unique: Some(unique.clone()), ..later(number, at(99)) };
    db.add(holder(5)).await;
    db.store.job_cancel(id(5), Some(at(5))).await.unwrap();
    db.add(holder(6)).await;
    db.store.job_cancel(id(6), Some(at(5))).await.unwrap();
    let over = db.do_all(OperationKind::Retry, &JobFilter::default()).await;
    assert_eq!((over.seen, over.changed), (6, 4), "one runs, and of two with the same key one holds it");
    for number in [1, 2, 4, 6] {
        let job = db.get(id(number)).await;
        assert_eq!((job.state, job.finished_at, job.run_at), (JobState::Available, None, at(20)));
        assert_eq!(db.states(id(number)).await.last().unwrap(), "available");
    }
    assert_eq!(db.get(id(3)).await.state, JobState::Running);
    assert_eq!(db.get(id(5)).await.state, JobState::Cancelled);
}

pub(crate) async fn a_step_looks_through_a_bounded_number_of_jobs<S: Store>(db: &Fixture<S>) {
    let rare = |number: u128| NewJob { tags: vec!["rare".to_owned()], ..later(number, at(99)) };
    let one = |number| if number % 5_999 == 1 { rare(number) } else { later(number, at(99)) };
    let jobs: Vec<_> = (1..=6_000).map(one).collect();
    db.store.job_insert(&jobs, Some(at(0))).await.unwrap();
    let filter = JobFilter { tag: Some("rare".to_owned()), ..JobFilter::default() };
    db.start(1, OperationKind::Cancel, &filter).await;
    for (id_done, finished_at) in [(id(6_000), None), (id(1), Some(at(20)))] {
        let step = db.store.operation_step(Some(at(20))).await.unwrap().unwrap();
        assert_eq!((step.changed, step.operation.finished_at), (vec![id_done], finished_at));
    }
}

pub(crate) async fn jobs_that_came_later_stay<S: Store>(db: &Fixture<S>) {
    for (number, second) in [(1, 9), (2, 10), (3, 11)] {
        db.store.job_insert(&[later(number, at(99))], Some(at(second))).await.unwrap();
    }
    let over = db.do_all(OperationKind::Cancel, &JobFilter::default()).await;
    assert_eq!((over.seen, over.changed), (2, 2));
    assert_eq!(db.get(id(3)).await.state, JobState::Scheduled);
}

pub(crate) async fn a_filter_narrows_what_is_done<S: Store>(db: &Fixture<S>) {
    db.add(later(1, at(99))).await;
    db.add(new_job(2)).await;
    db.add(NewJob { queue: "other".parse().unwrap(), ..new_job(3) }).await;
    let filter = JobFilter { queue: Some("exports".parse().unwrap()), ..of_state(JobState::Available) };
    let over = db.do_all(OperationKind::Cancel, &filter).await;
    assert_eq!((over.seen, over.changed, over.finished_at), (1, 1, Some(at(20))));
    let states = [db.get(id(1)).await.state, db.get(id(2)).await.state, db.get(id(3)).await.state];
    assert_eq!(states, [JobState::Scheduled, JobState::Cancelled, JobState::Available]);
}

pub(crate) async fn steps_that_are_made_at_once_do_each_job_once<S: Store>(db: &Fixture<S>) {
    let jobs: Vec<_> = (1..=650).map(|number| later(number, at(99))).collect();
    db.store.job_insert(&jobs, Some(at(0))).await.unwrap();
    db.start(1, OperationKind::Retry, &JobFilter::default()).await;
    let mut changed = Vec::new();
    for _ in 0..20 {
        let round = join_all((0..4).map(|_| db.store.operation_step(Some(at(20))))).await;
        changed.extend(round.into_iter().filter_map(|step| step.unwrap()).flat_map(|step| step.changed));
    }
    changed.sort();
    assert_eq!(changed, (1..=650).map(id).collect::<Vec<_>>());
    assert_eq!(db.states(id(1)).await, ["scheduled", "available"]);
    let claimed = db.store.job_claim(worker(1), &[task()], 1_000, Some(at(20))).await.unwrap();
    assert_eq!(claimed.jobs.len(), 650);
}

pub(crate) async fn the_oldest_operation_comes_first<S: Store>(db: &Fixture<S>) {
    db.add(later(1, at(99))).await;
    for (number, second) in [(1, 12), (2, 11), (3, 13)] {
        let filter = of_state(JobState::Running);
        db.store.operation_start(operation(number), OperationKind::Cancel, &filter, Some(at(second))).await.unwrap();
    }
    for expected in [2, 1, 3] {
        let step = db.store.operation_step(Some(at(20))).await.unwrap().unwrap();
        assert_eq!(step.operation.id, operation(expected));
        assert_eq!((step.operation.seen, step.operation.finished_at), (0, Some(at(20))));
    }
}

pub(crate) async fn an_operation_that_is_not_there_is_none<S: Store>(db: &Fixture<S>) {
    assert!(db.store.operation_get(operation(1)).await.unwrap().is_none());
    assert!(db.store.operation_step(None).await.unwrap().is_none());
}
