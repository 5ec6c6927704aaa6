//! Reading the books.

use windlass_model::{JobState, QueueName, RunAt, Timestamp};
use windlass_store::{Lifecycle, SliceSpans, Slices};

use crate::fixture::{Fixture, Store, at, done, failed, fatal, id, later, new_job, worker};

fn exports() -> QueueName {
    "exports".parse().unwrap()
}

/// Seconds, in microseconds.
const SECOND: u64 = 1_000_000;

impl<S: Store> Fixture<S> {
    /// Runs a new job to its good end, which comes so many seconds after the start of the case.
    async fn completed_by(&self, number: u128, by: u128, second: u64) {
        self.add(new_job(number)).await;
        let job = self.claim(by).await;
        self.store.job_finish(&[done(&job)], Some(at(second))).await.unwrap();
    }
}

pub(crate) async fn jobs_of_which_the_same_is_kept_are_counted_together<S: Store>(db: &Fixture<S>) {
    for number in [3, 1, 2] {
        db.completed_by(number, 1, 5).await;
    }
    let twice = db.running(4).await;
    db.record(failed(&twice)).await;
    db.store.job_promote(9, Some(at(999_999))).await.unwrap();
    let twice = db.claim(1).await;
    db.record(fatal(&twice)).await;
    db.running(5).await;
    db.add(later(6, at(60))).await;

    let mut found = db.store.lifecycles(&exports()).await.unwrap();
    let most = Lifecycle {
        jobs: 3,
        example: id(1),
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
    };
    assert_eq!(found[0], most, "the most frequent come first");
    found.sort_by_key(|lifecycle| lifecycle.example);
    let one = Lifecycle { jobs: 1, has_output: false, completed_entries: 0, ..most };
    let discarded = Lifecycle {
        example: id(4),
        state: JobState::Discarded,
        lease: 2,
        attempts: 2,
        attempt_lease: Some(2),
        failures: 2,
        waiting_entries: 2,
        running_entries: 2,
        // `retryable` and `discarded`.
        other_entries: 2,
        ..one
    };
    let none_ended = Lifecycle { attempts: 0, attempt_lease: None, ..one };
    let running = Lifecycle { example: id(5), state: JobState::Running, ..none_ended };
    let scheduled =
        Lifecycle { example: id(6), state: JobState::Scheduled, lease: 0, running_entries: 0, ..none_ended };
    assert_eq!(found, [most, discarded, running, scheduled]);
}

pub(crate) async fn only_the_jobs_of_the_queue_are_counted<S: Store>(db: &Fixture<S>) {
    db.completed_by(1, 1, 5).await;
    let other: QueueName = "imports".parse().unwrap();
    db.add(windlass_model::NewJob { queue: other.clone(), ..new_job(2) }).await;
    let jobs = |found: Vec<Lifecycle>| found.iter().map(|found| (found.jobs, found.state)).collect::<Vec<_>>();
    assert_eq!(jobs(db.store.lifecycles(&exports()).await.unwrap()), [(1, JobState::Completed)]);
    assert_eq!(jobs(db.store.lifecycles(&other).await.unwrap()), [(1, JobState::Available)]);
    assert!(db.store.spans(&other, None, Slices::whole(at(0))).await.unwrap().is_empty());
    assert!(db.store.shares(&other).await.unwrap().is_empty());
}

pub(crate) async fn each_end_is_in_the_slice_of_its_time<S: Store>(db: &Fixture<S>) {
    for (number, second) in [(1, 2), (2, 10), (3, 19), (4, 20), (5, 45)] {
        db.completed_by(number, 1, second).await;
    }
    let found = db.store.spans(&exports(), None, Slices { start: at(10), micros: 10 * SECOND }).await.unwrap();
    let jobs: Vec<_> = found.iter().map(|found| (found.slice, found.jobs)).collect();
    assert_eq!(jobs, [(0, 2), (1, 1), (3, 1)], "what ended before is left out, and a slice without an end too");
}

pub(crate) async fn a_span_runs_from_when_a_job_was_due_or_from_a_given_time<S: Store>(db: &Fixture<S>) {
    db.add(windlass_model::NewJob { run_at: Some(RunAt::Time(at(3))), ..new_job(1) }).await;
    db.store.job_promote(9, Some(at(4))).await.unwrap();
    let job = db.claim(1).await;
    db.store.job_finish(&[done(&job)], Some(at(9))).await.unwrap();
    let all = Slices::whole(at(0));
    let spans = |micros| [SliceSpans { slice: 0, jobs: 1, p50_micros: micros, p99_micros: micros, max_micros: micros }];
    assert_eq!(db.store.spans(&exports(), None, all).await.unwrap(), spans(6_000_000));
    assert_eq!(db.store.spans(&exports(), Some(at(1)), all).await.unwrap(), spans(8_000_000));
    assert_eq!(db.store.spans(&exports(), Some(at(10)), all).await.unwrap(), spans(-1_000_000));
}

pub(crate) async fn half_and_ninety_nine_of_a_hundred_took_no_longer<S: Store>(db: &Fixture<S>) {
    for number in 1..=100 {
        db.completed_by(number.into(), 1, 101 - number).await;
    }
    let all = Slices::whole(at(0));
    let expected =
        SliceSpans { slice: 0, jobs: 100, p50_micros: 50_000_000, p99_micros: 99_000_000, max_micros: 100_000_000 };
    assert_eq!(db.store.spans(&exports(), None, all).await.unwrap(), [expected]);
}

pub(crate) async fn each_worker_has_the_attempts_that_it_ended<S: Store>(db: &Fixture<S>) {
    for (number, by) in [(1, 2), (2, 1), (3, 2)] {
        db.completed_by(number, by, 5).await;
    }
    db.running(4).await;
    assert_eq!(db.store.shares(&exports()).await.unwrap(), [(worker(2), 2), (worker(1), 1)]);
}

pub(crate) async fn the_database_says_how_durable_a_commit_is<S: Store>(db: &Fixture<S>) {
    let settings = db.store.settings().await.unwrap();
    let value = |name: &str| settings.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    assert!(value("version").is_some_and(|version| version.starts_with(|c: char| c.is_ascii_digit())), "{settings:?}");
    match value("journal_mode") {
        Some(mode) => assert_eq!((mode, value("synchronous")), ("wal", Some("2"))),
        // The tests' servers need not survive anything; the connection asks for it all the same.
        None => assert_eq!((value("synchronous_commit"), value("fsync").is_some()), (Some("on"), true)),
    }
}

pub(crate) async fn the_clock_of_the_books_is_the_one_that_jobs_are_stamped_with<S: Store>(db: &Fixture<S>) {
    let before = db.store.clock().await.unwrap();
    let job = db.store.job_insert(&[new_job(1)], None).await.unwrap().pop().unwrap();
    let after = db.store.clock().await.unwrap();
    assert!(before > Timestamp::EPOCH && (before..=after).contains(&job.created_at), "{before} {job:?} {after}");
}

pub(crate) async fn of_a_queue_that_is_not_there_nothing_is_known<S: Store>(db: &Fixture<S>) {
    assert!(db.store.lifecycles(&exports()).await.unwrap().is_empty());
    assert!(db.store.spans(&exports(), None, Slices::whole(at(0))).await.unwrap().is_empty());
    assert!(db.store.shares(&exports()).await.unwrap().is_empty());
}
