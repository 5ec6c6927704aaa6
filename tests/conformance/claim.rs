//! Which jobs a claim takes: over all queues, and within the limits of each.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use windlass_model::{Job, JobId, MaxRunning, NewJob, Patch, Priority, QueueChange, Rate, RunAt, Timestamp};
use windlass_store::{Claimed, TaskRoom};

use crate::fixture::{Fixture, Store, at, done, id, later, new_job, task, worker};

fn in_queue(number: u128, queue: &str) -> NewJob {
    NewJob { queue: queue.parse().unwrap(), ..new_job(number) }
}

fn keyed(number: u128, key: &str) -> NewJob {
    NewJob { concurrency_key: Some(key.to_owned()), ..in_queue(number, "a") }
}

fn per_key(jobs: i64) -> QueueChange {
    QueueChange { max_running_per_key: max(jobs), ..QueueChange::default() }
}

fn max(jobs: i64) -> Patch<MaxRunning> {
    Patch::Set(MaxRunning::try_from(jobs).unwrap())
}

fn ids(jobs: &[Job]) -> Vec<JobId> {
    jobs.iter().map(|job| job.id).collect()
}

fn numbers(numbers: impl IntoIterator<Item = u128>) -> Vec<JobId> {
    numbers.into_iter().map(id).collect()
}

impl<S: Store> Fixture<S> {
    pub(crate) async fn change(&self, queue: &str, change: QueueChange) {
        self.store.queue_change(&queue.parse().unwrap(), &change, Some(at(0))).await.unwrap();
    }

    async fn claim_at(&self, by: u128, limit: u32, time: Timestamp) -> Claimed {
        self.store.job_claim(worker(by), &[task()], limit, Some(time)).await.unwrap()
    }

    async fn claimed(&self, by: u128, limit: u32) -> Vec<JobId> {
        ids(&self.claim_at(by, limit, at(1)).await.jobs)
    }

    async fn add_all(&self, jobs: impl IntoIterator<Item = NewJob>) {
        let jobs: Vec<_> = jobs.into_iter().collect();
        self.store.job_insert(&jobs, Some(at(0))).await.unwrap();
    }
}

pub(crate) async fn the_first_jobs_over_all_queues_are_claimed<S: Store>(db: &Fixture<S>) {
    let urgent = NewJob { priority: Priority::try_from(-5).unwrap(), ..in_queue(9, "c") };
    let earlier = NewJob { queue: "a".parse().unwrap(), ..later(8, Timestamp::from_micros(1_000)) };
    db.add_all([in_queue(4, "a"), in_queue(3, "b"), in_queue(2, "c"), in_queue(1, "b"), earlier, urgent]).await;
    assert_eq!(db.claimed(1, 2).await, numbers([9, 8]));
    assert_eq!(db.claimed(1, 3).await, numbers([1, 2, 3]));
    assert_eq!(db.claimed(1, 9).await, numbers([4]));
}

pub(crate) async fn a_paused_queue_gives_nothing_until_it_is_resumed<S: Store>(db: &Fixture<S>) {
    db.add_all([in_queue(1, "a"), in_queue(2, "b")]).await;
    db.change("a", QueueChange { paused: Some(true), ..QueueChange::default() }).await;
    assert_eq!(db.claimed(1, 9).await, numbers([2]));
    db.change("a", QueueChange { max_running: max(5), ..QueueChange::default() }).await;
    assert!(db.claimed(1, 9).await.is_empty(), "neither does one with limits");
    db.change("a", QueueChange { paused: Some(false), ..QueueChange::default() }).await;
    assert_eq!(db.claimed(1, 9).await, numbers([1]));
}

pub(crate) async fn no_more_jobs_of_a_queue_run_than_it_allows<S: Store>(db: &Fixture<S>) {
    db.add_all((1..=6).map(|number| in_queue(number, "a"))).await;
    db.change("a", QueueChange { max_running: max(2), ..QueueChange::default() }).await;
    let first = db.claim_at(1, 9, at(1)).await;
    assert_eq!(ids(&first.jobs), numbers([1, 2]));
    assert!(db.claimed(1, 9).await.is_empty());
    db.record(done(&first.jobs[0])).await;
    assert_eq!(db.claimed(1, 9).await, numbers([3]));
    db.change("a", QueueChange { max_running: max(4), ..QueueChange::default() }).await;
    assert_eq!(db.claimed(1, 1).await, numbers([4]));
    db.change("a", QueueChange { max_running: max(1), ..QueueChange::default() }).await;
    assert!(db.claimed(1, 9).await.is_empty(), "more run than may, which takes none away");
    db.change("a", QueueChange { max_running: Patch::Clear, ..QueueChange::default() }).await;
    assert_eq!(db.claimed(1, 9).await, numbers([5, 6]));
}

pub(crate) async fn a_full_queue_holds_up_no_other<S: Store>(db: &Fixture<S>) {
    let urgent = |number| NewJob { priority: Priority::try_from(-9).unwrap(), ..in_queue(number, "a") };
    db.add_all((1..=20).map(urgent)).await;
    db.add_all([in_queue(30, "b"), in_queue(31, "b")]).await;
    db.change("a", QueueChange { max_running: max(1), ..QueueChange::default() }).await;
    assert_eq!(db.claimed(1, 3).await, numbers([1, 30, 31]));
}

pub(crate) async fn what_others_run_counts_too<S: Store>(db: &Fixture<S>) {
    db.add_all((1..=6).map(|number| in_queue(number, "a"))).await;
    db.change("a", QueueChange { max_running: max(3), ..QueueChange::default() }).await;
    assert_eq!(db.claimed(1, 2).await, numbers([1, 2]));
    assert_eq!(db.claimed(2, 2).await, numbers([3]));
    assert!(db.claimed(3, 2).await.is_empty());
}

pub(crate) async fn no_more_jobs_start_within_a_period_than_the_rate_allows<S: Store>(db: &Fixture<S>) {
    db.add_all((1..=12).map(|number| in_queue(number, "a"))).await;
    let rate = Patch::Set(Rate::new(3, 10_000).unwrap());
    db.change("a", QueueChange { rate, ..QueueChange::default() }).await;
    let mut starts: Vec<u64> = Vec::new();
    for second in 1..40 {
        // Sometimes one at a time, sometimes all that come.
        let limit = if second % 3 == 0 { 9 } else { 1 };
        let claimed = db.claim_at(1, limit, at(second)).await.jobs;
        starts.extend(claimed.iter().map(|_| second));
    }
    assert_eq!(starts, [1, 2, 3, 11, 12, 13, 21, 22, 23, 31, 32, 33]);
}

pub(crate) async fn a_rate_holds_from_the_first_claim_on<S: Store>(db: &Fixture<S>) {
    db.add_all((1..=9).map(|number| in_queue(number, "a"))).await;
    let rate = Patch::Set(Rate::new(2, 10_000).unwrap());
    db.change("a", QueueChange { rate, ..QueueChange::default() }).await;
    assert_eq!(db.claimed(1, 9).await, numbers([1, 2]));
    // And again when nothing has started for a while.
    assert_eq!(ids(&db.claim_at(1, 9, at(99)).await.jobs), numbers([3, 4]));
}

pub(crate) async fn a_rate_says_when_it_leaves_room_again<S: Store>(db: &Fixture<S>) {
    db.add_all((1..=9).map(|number| in_queue(number, "a"))).await;
    let rate = Patch::Set(Rate::new(2, 10_000).unwrap());
    db.change("a", QueueChange { rate, ..QueueChange::default() }).await;
    assert_eq!(db.claim_at(1, 1, at(1)).await.jobs.len(), 1);
    assert_eq!(db.claim_at(1, 9, at(4)).await.jobs.len(), 1);
    let claimed = db.claim_at(1, 9, at(5)).await;
    assert_eq!((claimed.jobs.len(), claimed.again_in), (0, Some(Duration::from_secs(6))));
    assert_eq!(db.claim_at(1, 9, at(11)).await.jobs.len(), 1);
    let claimed = db.claim_at(1, 9, at(11)).await;
    assert_eq!((claimed.jobs.len(), claimed.again_in), (0, Some(Duration::from_secs(3))));
    // Nothing to claim, and nothing that will leave room.
    let nothing = db.store.job_claim(worker(1), &["other".parse().unwrap()], 9, Some(at(11))).await.unwrap();
    assert_eq!((nothing.jobs.len(), nothing.again_in), (0, None));
}

/// Claims from many workers at once, again and again, until they have found so many jobs or nothing any more.
async fn claim_at_once<S: Store>(db: &Fixture<S>, enough: usize) -> Vec<JobId> {
    let mut found = BTreeSet::new();
    for _ in 0..50 {
        let round = join_all((1..=8).map(|by| db.claim_at(by, 3, at(1)))).await;
        for job in round.into_iter().flat_map(|claimed| claimed.jobs) {
            assert!(found.insert(job.id), "{} was handed out twice", job.id);
        }
        if found.len() >= enough {
            break;
        }
    }
    found.into_iter().collect()
}

pub(crate) async fn two_claims_at_once_keep_the_limit<S: Store>(db: &Fixture<S>) {
    db.add_all((1..=60).map(|number| in_queue(number, "a"))).await;
    db.add_all((61..=70).map(|number| in_queue(number, "free"))).await;
    db.change("a", QueueChange { max_running: max(5), ..QueueChange::default() }).await;
    let found = claim_at_once(db, 16).await;
    assert_eq!(found, numbers((1..=5).chain(61..=70)));
}

pub(crate) async fn two_claims_at_once_keep_the_rate<S: Store>(db: &Fixture<S>) {
    db.add_all((1..=60).map(|number| in_queue(number, "a"))).await;
    let rate = Patch::Set(Rate::new(7, 1_000).unwrap());
    db.change("a", QueueChange { rate, ..QueueChange::default() }).await;
    assert_eq!(claim_at_once(db, 8).await, numbers(1..=7));
}

pub(crate) async fn a_limit_of_no_queue_counts_jobs_of_another<S: Store>(db: &Fixture<S>) {
    let rate = Patch::Set(Rate::new(1, 1_000).unwrap());
    for queue in ["a", "b"] {
        db.change(queue, QueueChange { max_running: max(1), rate, ..QueueChange::default() }).await;
    }
    db.add_all([in_queue(1, "a"), in_queue(2, "a"), in_queue(3, "b"), in_queue(4, "b")]).await;
    assert_eq!(db.claimed(1, 9).await, numbers([1, 3]));
}

pub(crate) async fn no_more_jobs_of_a_key_run_than_the_queue_allows<S: Store>(db: &Fixture<S>) {
    db.change("a", per_key(2)).await;
    db.add_all((1..=5).map(|number| keyed(number, "x"))).await;
    let first = db.claim_at(1, 9, at(1)).await.jobs;
    assert_eq!(ids(&first), numbers([1, 2]));
    assert!(db.claimed(2, 9).await.is_empty());
    db.record(done(&first[1])).await;
    assert_eq!(db.claimed(2, 9).await, numbers([3]));
    db.change("a", QueueChange { max_running_per_key: Patch::Clear, ..QueueChange::default() }).await;
    assert_eq!(db.claimed(2, 9).await, numbers([4, 5]));
}

pub(crate) async fn keys_do_not_hold_up_one_another<S: Store>(db: &Fixture<S>) {
    db.change("a", QueueChange { max_running: max(6), ..per_key(1) }).await;
    db.add_all([keyed(1, "x"), keyed(2, "x"), keyed(3, "y"), in_queue(4, "a"), in_queue(5, "a"), keyed(6, "y")]).await;
    assert_eq!(db.claimed(1, 2).await, numbers([1, 3]));
    assert_eq!(db.claimed(1, 9).await, numbers([4, 5]), "jobs without a key are not limited by it");
}

pub(crate) async fn a_long_row_of_jobs_whose_key_is_taken_holds_up_none_behind_it<S: Store>(db: &Fixture<S>) {
    db.change("a", per_key(1)).await;
    // Each page of a claim for 3 is full of one key; the next key lies behind it.
    let row = |key: u128| (1..=20).map(move |number| keyed(key * 100 + number, &format!("key {key}")));
    db.add_all((1..=4).flat_map(row)).await;
    assert_eq!(db.claimed(1, 3).await, numbers([101, 201, 301]));
    assert_eq!(db.claimed(1, 3).await, numbers([401]));
    assert!(db.claimed(1, 3).await.is_empty());
}

pub(crate) async fn two_claims_at_once_keep_the_limit_for_each_key<S: Store>(db: &Fixture<S>) {
    db.change("a", per_key(2)).await;
    db.add_all((0..60).map(|number| keyed(1 + number, &format!("key {}", number / 20)))).await;
    assert_eq!(claim_at_once(db, 7).await, numbers([1, 2, 21, 22, 41, 42]));
}

pub(crate) async fn a_key_counts_in_its_own_queue_only<S: Store>(db: &Fixture<S>) {
    let other = |number| NewJob { queue: "b".parse().unwrap(), ..keyed(number, "x") };
    db.change("a", per_key(1)).await;
    db.add_all([keyed(1, "x"), keyed(2, "x"), other(3), other(4)]).await;
    assert_eq!(db.claimed(1, 9).await, numbers([1, 3, 4]));
}

pub(crate) async fn an_expired_job_is_not_claimed<S: Store>(db: &Fixture<S>) {
    let until = |number, second| NewJob { expires_at: Some(RunAt::Time(at(second))), ..in_queue(number, "a") };
    db.add_all([until(1, 10), until(2, 11), until(3, 12)]).await;
    let claimed = db.claim_at(1, 9, at(11)).await;
    assert_eq!(ids(&claimed.jobs), numbers([3]));
    let nothing = db.claim_at(1, 9, at(12)).await;
    assert_eq!((nothing.jobs.len(), nothing.again_in), (0, None));
}

fn of_task(number: u128, name: &str) -> NewJob {
    NewJob { task: name.parse().unwrap(), ..new_job(number) }
}

fn room(name: &str, room: Option<u32>) -> TaskRoom {
    TaskRoom { task: name.parse().unwrap(), room }
}

pub(crate) async fn no_more_of_a_task_are_claimed_than_it_has_room_for<S: Store>(db: &Fixture<S>) {
    db.add_all((1..=8).map(|number| of_task(number, "few"))).await;
    db.add_all([of_task(9, "many"), of_task(10, "many")]).await;
    let tasks = [room("few", Some(2)), room("many", None)];
    let claim = |limit| db.store.job_claim_within(worker(1), &tasks, limit, Some(at(1)));
    // A page of the first three holds only one task: what is behind them is found all the same.
    assert_eq!(ids(&claim(3).await.unwrap().jobs), numbers([1, 2, 9]));
    assert_eq!(ids(&claim(9).await.unwrap().jobs), numbers([3, 4, 10]));
    let none = [room("few", Some(0)), room("many", None)];
    let nothing = db.store.job_claim_within(worker(1), &none, 9, Some(at(1))).await.unwrap();
    assert!(nothing.jobs.is_empty());
    // Full is not contended: there is nothing to look for again.
    assert_eq!(nothing.again_in, None);
}

pub(crate) async fn the_room_of_a_task_is_one_over_all_queues<S: Store>(db: &Fixture<S>) {
    db.add_all([in_queue(1, "a"), in_queue(2, "b"), in_queue(3, "c")]).await;
    let tasks = [room(task().as_str(), Some(2))];
    let claimed = db.store.job_claim_within(worker(1), &tasks, 9, Some(at(1))).await.unwrap().jobs;
    assert_eq!(claimed.len(), 2);
}
