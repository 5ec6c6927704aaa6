//! Leading, and what is removed when it has had its time.

use std::time::Duration;

use futures_util::future::join_all;
use windlass_model::{Idempotency, JobFilter, JobId, JobState, NewJob, OperationId, OperationKind, Submission};
use windlass_store::{Finished, Submitted};

use crate::fixture::{Fixture, Store, at, done, fatal, full_report, id, new_job, slot, worker};

const TTL: Duration = Duration::from_secs(10);

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

impl<S: Store> Fixture<S> {
    async fn lead(&self, by: u128, second: u64) -> Option<u64> {
        self.store.lead("tidy", worker(by), TTL, Some(at(second))).await.unwrap()
    }

    async fn prune(&self, state: JobState, keep: u64, limit: u32, second: u64) -> Vec<JobId> {
        let queue = "exports".parse().unwrap();
        self.store.job_prune(&queue, state, seconds(keep), limit, Some(at(second))).await.unwrap()
    }

    /// A job that was completed at a time.
    async fn completed(&self, number: u128, second: u64) {
        let job = self.running(number).await;
        self.store.job_finish(&[done(&job)], Some(at(second))).await.unwrap();
    }
}

pub(crate) async fn one_worker_leads_until_its_lease_runs_out<S: Store>(db: &Fixture<S>) {
    assert_eq!(db.lead(1, 0).await, Some(1));
    assert_eq!(db.lead(2, 5).await, None);
    assert_eq!(db.lead(1, 8).await, Some(1), "it goes on to lead");
    assert_eq!(db.lead(2, 17).await, None);
    assert_eq!(db.lead(2, 18).await, Some(2));
    assert_eq!(db.lead(1, 19).await, None);
}

pub(crate) async fn the_term_goes_up_with_each_change_of_hands<S: Store>(db: &Fixture<S>) {
    for (by, second, term) in [(1, 0, 1), (1, 50, 1), (2, 100, 2), (2, 105, 2), (1, 200, 3), (3, 300, 4)] {
        assert_eq!(db.lead(by, second).await, Some(term));
    }
}

pub(crate) async fn whoever_resigns_need_not_be_waited_for<S: Store>(db: &Fixture<S>) {
    db.lead(1, 0).await;
    db.store.lead_resign(worker(2), Some(at(1))).await.unwrap();
    assert_eq!(db.lead(2, 1).await, None, "only its own lease ends");
    db.store.lead_resign(worker(1), Some(at(2))).await.unwrap();
    db.store.lead_resign(worker(1), Some(at(2))).await.unwrap();
    assert_eq!(db.lead(2, 2).await, Some(2));
}

pub(crate) async fn a_role_is_led_apart_from_the_others<S: Store>(db: &Fixture<S>) {
    assert_eq!(db.lead(1, 0).await, Some(1));
    assert_eq!(db.store.lead("other", worker(2), TTL, Some(at(0))).await.unwrap(), Some(1));
}

pub(crate) async fn of_many_that_want_to_lead_at_once_one_does<S: Store>(db: &Fixture<S>) {
    for round in 0..5 {
        let terms = join_all((1..=8).map(|by| db.lead(by + round * 10, 100 * u64::try_from(round).unwrap()))).await;
        let terms: Vec<_> = terms.into_iter().flatten().collect();
        assert_eq!(terms, [u64::try_from(round).unwrap() + 1]);
    }
}

pub(crate) async fn finished_jobs_are_removed_by_their_age_the_oldest_first<S: Store>(db: &Fixture<S>) {
    for (number, second) in [(1, 30), (2, 10), (3, 20), (4, 40)] {
        db.completed(number, second).await;
    }
    assert!(db.prune(JobState::Completed, 60, 9, 69).await.is_empty());
    assert_eq!(db.prune(JobState::Completed, 60, 1, 90).await, [id(2)]);
    let mut pruned = db.prune(JobState::Completed, 60, 9, 90).await;
    pruned.sort();
    assert_eq!(pruned, [id(1), id(3)]);
    assert!(db.store.job_get(id(1)).await.unwrap().is_none());
    assert_eq!(db.prune(JobState::Completed, 0, 9, 90).await, [id(4)]);
}

pub(crate) async fn jobs_of_other_states_and_queues_stay<S: Store>(db: &Fixture<S>) {
    db.completed(1, 5).await;
    db.record(fatal(&db.running(2).await)).await;
    db.add(new_job(3)).await;
    db.store.job_cancel(id(3), Some(at(5))).await.unwrap();
    db.running(4).await;
    db.add(new_job(5)).await;
    db.add(NewJob { queue: "other".parse().unwrap(), ..new_job(6) }).await;
    db.store.job_cancel(id(6), Some(at(5))).await.unwrap();
    assert_eq!(db.prune(JobState::Completed, 1, 9, 99).await, [id(1)]);
    assert_eq!(db.prune(JobState::Discarded, 1, 9, 99).await, [id(2)]);
    assert_eq!(db.prune(JobState::Cancelled, 1, 9, 99).await, [id(3)]);
    for state in JobState::ALL {
        assert!(db.prune(state, 0, 9, 99).await.is_empty(), "{state}");
    }
    for number in 4..=6 {
        db.get(id(number)).await;
    }
}

pub(crate) async fn all_that_belongs_to_a_job_goes_with_it<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    db.store.job_report(&full_report(&job), Some(at(2))).await.unwrap();
    let artifact = windlass_model::Artifact {
        name: "a.csv".to_owned(),
        bytes: 3,
        content_type: "text/csv".to_owned(),
        sha256: "00".to_owned(),
        lease: 1,
    };
    db.record(Finished { artifacts: vec![artifact], ..done(&job) }).await;
    assert_eq!(db.prune(JobState::Completed, 0, 9, 9).await, [id(1)]);
    assert!(db.store.event_list(id(1), 0, 9).await.unwrap().is_empty());
    assert!(db.store.log_list(id(1), 0, 9).await.unwrap().is_empty());
    assert!(db.store.attempt_list(id(1)).await.unwrap().is_empty());
    assert!(db.store.artifact_list(id(1)).await.unwrap().is_empty());
    assert_eq!(db.store.job_counts().await.unwrap(), windlass_model::JobCounts::default());
    // Its id is free: nothing of it is left to collide with.
    db.running(1).await;
    assert_eq!(db.states(id(1)).await, ["available", "running"]);
}

pub(crate) async fn a_job_whose_dependents_are_to_be_seen_to_stays<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    // More than one transaction sees to.
    let after: Vec<_> = (1_000..2_100).map(|number| NewJob { after: vec![id(1)], ..new_job(number) }).collect();
    db.store.job_insert(&after, Some(at(2))).await.unwrap();
    db.record(done(&job)).await;
    assert!(db.prune(JobState::Completed, 0, 9, 99).await.is_empty());
    while db.store.dependency_settle(1, Some(at(6))).await.unwrap() > 0 {}
    assert_eq!(db.prune(JobState::Completed, 0, 9, 99).await, [id(1)]);
}

pub(crate) async fn a_prune_that_is_made_by_two_at_once_removes_each_job_once<S: Store>(db: &Fixture<S>) {
    let jobs: Vec<_> = (1..=60).map(new_job).collect();
    db.store.job_insert(&jobs, Some(at(0))).await.unwrap();
    for job in &jobs {
        db.store.job_cancel(job.id, Some(at(1))).await.unwrap();
    }
    let mut pruned = Vec::new();
    for _ in 0..20 {
        let round = join_all((0..4).map(|_| db.prune(JobState::Cancelled, 0, 10, 9))).await;
        pruned.extend(round.into_iter().flatten());
    }
    pruned.sort();
    assert_eq!(pruned, (1..=60).map(id).collect::<Vec<_>>());
}

pub(crate) async fn jobs_that_are_not_there_are_unknown<S: Store>(db: &Fixture<S>) {
    db.add(new_job(2)).await;
    let mut unknown = db.store.job_unknown(&[id(1), id(2), id(3)]).await.unwrap();
    unknown.sort();
    assert_eq!(unknown, [id(1), id(3)]);
    assert!(db.store.job_unknown(&[]).await.unwrap().is_empty());
}

pub(crate) async fn answers_are_forgotten_after_a_day<S: Store>(db: &Fixture<S>) {
    const DAY: u64 = 24 * 3_600;
    for (number, key, second) in [(1, "a", 0), (2, "b", 1), (3, "c", 2)] {
        let idempotency = Some(Idempotency { key: key.to_owned(), fingerprint: "f".to_owned() });
        let submission = Submission { jobs: vec![new_job(number)], idempotency };
        db.store.job_submit(&[submission], Some(at(second))).await.unwrap();
    }
    assert_eq!(db.store.idempotency_prune(9, Some(at(DAY - 1))).await.unwrap(), 0);
    assert_eq!(db.store.idempotency_prune(1, Some(at(DAY + 1))).await.unwrap(), 1);
    assert_eq!(db.store.idempotency_prune(9, Some(at(DAY + 1))).await.unwrap(), 1);
    let idempotency = Some(Idempotency { key: "c".to_owned(), fingerprint: "f".to_owned() });
    let again = Submission { jobs: vec![new_job(4)], idempotency };
    let answer = db.store.job_submit(&[again], Some(at(DAY + 1))).await.unwrap().pop().unwrap();
    assert!(matches!(answer, Submitted::Repeated(_)), "{answer:?}");
}

pub(crate) async fn operations_are_forgotten_a_while_after_their_end<S: Store>(db: &Fixture<S>) {
    let operation = |number| OperationId::from_uuid(uuid::Uuid::from_u128(number));
    for number in 1..=3 {
        let filter = JobFilter::default();
        db.store.operation_start(operation(number), OperationKind::Cancel, &filter, Some(at(1))).await.unwrap();
    }
    for second in [5, 6] {
        db.store.operation_step(Some(at(second))).await.unwrap().unwrap();
    }
    assert_eq!(db.store.operation_prune(seconds(60), 9, Some(at(64))).await.unwrap(), 0);
    assert_eq!(db.store.operation_prune(seconds(60), 9, Some(at(65))).await.unwrap(), 1);
    assert_eq!(db.store.operation_prune(seconds(60), 9, Some(at(999))).await.unwrap(), 1, "one is not over");
    let left = join_all((1..=3).map(|number| db.store.operation_get(operation(number)))).await;
    assert_eq!(left.into_iter().filter(|found| found.as_ref().unwrap().is_some()).count(), 1);
}

pub(crate) async fn a_worker_is_forgotten_long_after_its_lease_if_it_holds_nothing<S: Store>(db: &Fixture<S>) {
    for number in 1..=3 {
        db.store.worker_register(&slot(number), TTL, Some(at(0))).await.unwrap();
    }
    db.store.worker_beat(&slot(3), TTL, Some(at(100))).await.unwrap();
    db.running(1).await;
    assert_eq!(db.store.worker_forget(seconds(90), 9, Some(at(100))).await.unwrap(), 0);
    assert_eq!(db.store.worker_forget(seconds(90), 9, Some(at(101))).await.unwrap(), 1);
    let left: Vec<_> = db.store.worker_list().await.unwrap().into_iter().map(|worker| worker.id).collect();
    assert_eq!(left, [worker(1), worker(3)], "one holds a job, one lives");
    assert_eq!(db.store.worker_forget(seconds(90), 0, Some(at(999))).await.unwrap(), 0);
}
