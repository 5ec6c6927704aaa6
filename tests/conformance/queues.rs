//! What people see of queues, and what they set about them.

use std::time::Duration;

use windlass_model::{
    Bounds, JobCounts, JobFilter, JobState, KeepTime, MaxRunning, NewJob, PageSize, Patch, Priority, QueueChange,
    QueueInfo, QueueName, QueueSettings, Rate,
};

use crate::fixture::{Fixture, Store, at, done, failed, id, later, new_job, task, worker};

fn name(raw: &str) -> QueueName {
    raw.parse().unwrap()
}

fn everything() -> QueueChange {
    let keep = |days| Patch::Set(KeepTime::from_days(days));
    QueueChange {
        paused: Some(true),
        max_running: Patch::Set(MaxRunning::try_from(1_000_000).unwrap()),
        max_running_per_key: Patch::Set(MaxRunning::try_from(1).unwrap()),
        rate: Patch::Set(Rate::new(10, 86_400_000).unwrap()),
        keep_completed: keep(1),
        keep_discarded: keep(2),
        keep_cancelled: keep(3),
    }
}

impl<S: Store> Fixture<S> {
    async fn queue(&self, raw: &str) -> QueueInfo {
        self.store.queue_get(&name(raw)).await.unwrap().expect("the queue is not there")
    }

    /// Counts the jobs one by one.
    async fn counted(&self) -> JobCounts {
        let page = self.store.job_list(&JobFilter::default(), PageSize::new(500).unwrap()).await.unwrap();
        assert!(page.next.is_none());
        let mut counts = JobCounts::default();
        page.jobs.iter().for_each(|job| counts.add(job.state, 1));
        counts
    }
}

pub(crate) async fn a_queue_is_there_from_its_first_job_on<S: Store>(db: &Fixture<S>) {
    assert!(db.store.queue_list().await.unwrap().is_empty());
    db.add(new_job(1)).await;
    db.add(new_job(2)).await;
    let queue = db.queue("exports").await;
    assert_eq!((queue.settings, queue.oldest_available_at), (QueueSettings::default(), Some(at(0))));
    assert_eq!(queue.counts.get(JobState::Available), 2);
    assert_eq!(db.store.queue_list().await.unwrap(), [queue]);
}

pub(crate) async fn what_a_change_does_not_name_stays<S: Store>(db: &Fixture<S>) {
    let queue = db.store.queue_change(&name("a"), &everything(), Some(at(5))).await.unwrap();
    assert_eq!(queue.settings, QueueSettings::default().after(&everything(), at(5)));
    let only = QueueChange { rate: Patch::Clear, ..QueueChange::default() };
    let after = db.store.queue_change(&name("a"), &only, Some(at(6))).await.unwrap();
    assert_eq!(after.settings, queue.settings.after(&only, at(6)));
    assert_eq!(after.settings.limits.rate, None);
    assert_eq!(db.queue("a").await, after);
    let nothing = db.store.queue_change(&name("a"), &QueueChange::default(), Some(at(7))).await.unwrap();
    assert_eq!(nothing, after);
}

pub(crate) async fn limits_may_be_set_before_the_first_job<S: Store>(db: &Fixture<S>) {
    db.store.queue_change(&name("exports"), &everything(), Some(at(5))).await.unwrap();
    db.add(new_job(1)).await;
    let queue = db.queue("exports").await;
    assert_eq!(queue.settings, QueueSettings::default().after(&everything(), at(5)));
    assert_eq!(queue.counts.get(JobState::Available), 1);
}

pub(crate) async fn a_queue_that_is_paused_already_keeps_its_time<S: Store>(db: &Fixture<S>) {
    let pause = |paused| QueueChange { paused: Some(paused), ..QueueChange::default() };
    for (paused, second, since) in [(true, 1, Some(1)), (true, 5, Some(1)), (false, 6, None), (true, 7, Some(7))] {
        let queue = db.store.queue_change(&name("a"), &pause(paused), Some(at(second))).await.unwrap();
        assert_eq!(queue.settings.paused_at, since.map(at));
    }
}

pub(crate) async fn a_queue_that_is_not_there_is_not_found<S: Store>(db: &Fixture<S>) {
    db.add(new_job(1)).await;
    assert_eq!(db.store.queue_get(&name("other")).await.unwrap(), None);
}

pub(crate) async fn queues_are_listed_by_name<S: Store>(db: &Fixture<S>) {
    for queue in ["b-2", "a", "b_1", "b", "c1", "b2"] {
        db.store.queue_change(&name(queue), &QueueChange::default(), None).await.unwrap();
    }
    let names: Vec<_> = db.store.queue_list().await.unwrap().into_iter().map(|queue| queue.name.to_string()).collect();
    assert_eq!(names, ["a", "b", "b-2", "b2", "b_1", "c1"]);
}

pub(crate) async fn the_longest_wait_is_found_behind_every_priority<S: Store>(db: &Fixture<S>) {
    let job = |number, priority, seconds: i64| {
        let run_at = windlass_model::Timestamp::from_micros(seconds * 1_000_000);
        NewJob { priority: Priority::try_from(priority).unwrap(), ..later(number, run_at) }
    };
    for job in [job(1, -3, 500), job(2, 0, 300), job(3, 0, 400), job(4, 7, 100), job(5, 100, 200)] {
        db.add(job).await;
    }
    let elsewhere = NewJob { queue: name("other"), ..job(6, 0, 50) };
    db.add(elsewhere).await;
    let oldest = |queue: QueueInfo| queue.oldest_available_at.map(|time| time.as_micros() / 1_000_000);
    assert_eq!(oldest(db.queue("exports").await), Some(100));
    assert_eq!(oldest(db.queue("other").await), Some(50));
    db.store.job_cancel(id(4), Some(at(1))).await.unwrap();
    assert_eq!(oldest(db.queue("exports").await), Some(200));
    for number in [1, 2, 3, 5] {
        db.store.job_cancel(id(number), Some(at(1))).await.unwrap();
    }
    assert_eq!(oldest(db.queue("exports").await), None);
}

pub(crate) async fn counts_are_what_is_there_after_every_kind_of_change<S: Store>(db: &Fixture<S>) {
    let check = async |change: &str| {
        let counted = db.counted().await;
        assert_eq!(db.store.job_counts().await.unwrap(), counted, "after {change}");
        let mut sum = JobCounts::default();
        for queue in db.store.queue_list().await.unwrap() {
            JobState::ALL.into_iter().for_each(|state| sum.add(state, queue.counts.get(state)));
        }
        assert_eq!(sum, counted, "by queue, after {change}");
    };
    check("nothing").await;
    for number in 1..=6 {
        db.add(new_job(number)).await;
    }
    db.add(NewJob { queue: name("other"), ..later(7, at(30)) }).await;
    check("an insert").await;
    let claimed = db.store.job_claim(worker(1), &[task()], 4, Some(at(1))).await.unwrap().jobs;
    check("a claim").await;
    db.record(done(&claimed[0])).await;
    db.record(failed(&claimed[1])).await;
    check("a finish").await;
    db.store.job_cancel(id(6), Some(at(6))).await.unwrap();
    db.store.job_cancel(claimed[2].id, Some(at(6))).await.unwrap();
    check("a cancel").await;
    db.record(failed(&claimed[2])).await;
    check("a finish of what somebody wants cancelled").await;
    db.store.job_retry(claimed[0].id, Some(at(7))).await.unwrap();
    check("a retry").await;
    assert_eq!(db.store.job_promote(9, Some(at(60))).await.unwrap(), 2);
    check("a promotion").await;
    assert_eq!(db.store.job_rescue(Bounds::default(), 9, Some(at(60))).await.unwrap(), [claimed[3].id]);
    check("a rescue").await;
    while db.store.queue_counts_fold(3).await.unwrap() > 0 {}
    check("folding").await;
}

pub(crate) async fn folding_leaves_the_counts_as_they_are<S: Store>(db: &Fixture<S>) {
    for number in 1..=30 {
        db.add(new_job(number)).await;
    }
    for number in 1..=30 {
        db.store.job_cancel(id(number), Some(at(1))).await.unwrap();
    }
    let before = db.store.job_counts().await.unwrap();
    assert_eq!((before.get(JobState::Available), before.get(JobState::Cancelled)), (0, 30));
    let folds = async {
        let mut gone = 0;
        loop {
            match db.store.queue_counts_fold(8).await.unwrap() {
                0 => return gone,
                folded => gone += folded,
            }
            assert!(gone < 1_000, "it never ends");
        }
    };
    let looks = async {
        for _ in 0..20 {
            assert_eq!(db.store.job_counts().await.unwrap(), before);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let (gone, ()) = tokio::join!(folds, looks);
    assert!(gone > 0);
    assert_eq!(db.store.job_counts().await.unwrap(), before);
}
