//! Reading: each promise of `JobDirectory`.

use windlass_model::{Job, JobFilter, JobId, JobState, NewJob, PageSize, QueueName};
use windlass_store::{Finished, JobPage, StepReport};

use crate::fixture::{
    Fixture, at, completed, due, failed, finished, ids, job_id, line, new_job, progress, report, task, worker_id,
};

async fn list(f: &Fixture, filter: JobFilter, rows: u16) -> JobPage {
    f.store.job_list(&filter, PageSize::new(rows).unwrap()).await.unwrap()
}

async fn listed(f: &Fixture, filter: JobFilter) -> Vec<JobId> {
    ids(&list(f, filter, 100).await.jobs)
}

// job_get

pub(crate) async fn a_job_that_is_not_there_is_none(f: Fixture) {
    f.add(&[new_job(1)]).await;
    assert!(f.store.job_get(job_id(2)).await.unwrap().is_none());
}

pub(crate) async fn a_job_is_read_with_its_newest_progress(f: Fixture) {
    let running = f.running(1).await;
    let told = StepReport { progress: progress(20, 1, "reading"), ..report(&running) };
    f.store.job_report(&told, Some(at(2))).await.unwrap();
    assert_eq!(f.get(running.id).await.progress, progress(20, 1, "reading"));
    assert_eq!(list(&f, JobFilter::default(), 9).await.jobs[0].progress, progress(20, 1, "reading"));
    f.record(Finished { progress: progress(80, 2, "writing"), ..finished(&running, failed()) }).await;
    assert_eq!(f.get(running.id).await.progress, progress(80, 2, "writing"));
}

pub(crate) async fn the_progress_of_a_lost_attempt_is_not_that_of_the_next(f: Fixture) {
    let running = f.running(1).await;
    let told = StepReport { progress: progress(20, 1, "reading"), ..report(&running) };
    f.store.job_report(&told, Some(at(2))).await.unwrap();
    f.store.job_rescue(windlass_model::Bounds::default(), 1, Some(at(50))).await.unwrap();
    assert_eq!(f.get(running.id).await.progress, progress(20, 1, "reading"));
    f.claim(2, 1, at(60)).await;
    assert!(f.get(running.id).await.progress.is_empty());
}

// job_list

pub(crate) async fn the_newest_jobs_come_first(f: Fixture) {
    f.add(&[new_job(2), new_job(1), new_job(3)]).await;
    assert_eq!(listed(&f, JobFilter::default()).await, [3, 2, 1].map(job_id));
}

pub(crate) async fn pages_follow_each_other_without_gap_or_overlap(f: Fixture) {
    let jobs: Vec<_> = (1..=5).map(new_job).collect();
    f.add(&jobs).await;
    let first = list(&f, JobFilter::default(), 2).await;
    assert_eq!((ids(&first.jobs), first.next), (vec![job_id(5), job_id(4)], Some(job_id(4))));
    // What is enqueued between two pages is newer than both.
    f.add(&[new_job(6)]).await;
    let second = list(&f, JobFilter { after: first.next, ..JobFilter::default() }, 2).await;
    assert_eq!((ids(&second.jobs), second.next), (vec![job_id(3), job_id(2)], Some(job_id(2))));
    let third = list(&f, JobFilter { after: second.next, ..JobFilter::default() }, 2).await;
    assert_eq!((ids(&third.jobs), third.next), (vec![job_id(1)], None));
}

pub(crate) async fn a_full_last_page_has_no_next(f: Fixture) {
    f.add(&[new_job(1), new_job(2)]).await;
    let page = list(&f, JobFilter::default(), 2).await;
    assert_eq!((page.jobs.len(), page.next), (2, None));
}

pub(crate) async fn a_list_of_nothing_is_empty(f: Fixture) {
    let page = list(&f, JobFilter::default(), 2).await;
    assert_eq!((page.jobs.len(), page.next), (0, None));
}

pub(crate) async fn a_list_is_narrowed_by_any_of_several_states(f: Fixture) {
    let over = f.running(1).await;
    f.finish(&over, completed()).await;
    f.running(2).await;
    f.add(&[new_job(3), due(4, 60)]).await;
    let of = |states: &[JobState]| JobFilter { states: states.to_vec(), ..JobFilter::default() };
    assert_eq!(listed(&f, of(&[JobState::Running])).await, [job_id(2)]);
    assert_eq!(listed(&f, of(&[JobState::Completed, JobState::Scheduled])).await, [4, 1].map(job_id));
    assert!(listed(&f, of(&[JobState::Discarded])).await.is_empty());
}

pub(crate) async fn a_list_is_narrowed_by_task_queue_and_tag(f: Fixture) {
    let slow = QueueName::parse("slow").unwrap();
    let tagged = |id, tags: &[&str]| NewJob { tags: tags.iter().map(|&tag| tag.to_owned()).collect(), ..new_job(id) };
    f.add(&[
        NewJob { task: task("import"), ..new_job(1) },
        NewJob { queue: slow.clone(), ..new_job(2) },
        tagged(3, &["red", "blue"]),
        tagged(4, &["reddish"]),
        NewJob { task: task("import"), queue: slow.clone(), ..tagged(5, &["red"]) },
    ])
    .await;
    let by_task = JobFilter { task: Some(task("import")), ..JobFilter::default() };
    let by_queue = JobFilter { queue: Some(slow), ..JobFilter::default() };
    let by_tag = JobFilter { tag: Some("red".to_owned()), ..JobFilter::default() };
    assert_eq!(listed(&f, by_task.clone()).await, [5, 1].map(job_id));
    assert_eq!(listed(&f, by_queue.clone()).await, [5, 2].map(job_id));
    assert_eq!(listed(&f, by_tag.clone()).await, [5, 3].map(job_id));
    // All of them at once.
    assert_eq!(listed(&f, JobFilter { queue: by_queue.queue, tag: by_tag.tag, ..by_task }).await, [job_id(5)]);
}

pub(crate) async fn a_list_is_narrowed_by_the_time_of_the_enqueue(f: Fixture) {
    for id in 1..=4 {
        f.store.job_insert(&[new_job(id)], Some(at(i64::try_from(id).unwrap()))).await.unwrap();
    }
    let from = JobFilter { created_from: Some(at(2)), ..JobFilter::default() };
    let before = JobFilter { created_before: Some(at(4)), ..JobFilter::default() };
    assert_eq!(listed(&f, from.clone()).await, [4, 3, 2].map(job_id));
    assert_eq!(listed(&f, before.clone()).await, [3, 2, 1].map(job_id));
    assert_eq!(listed(&f, JobFilter { created_before: before.created_before, ..from }).await, [3, 2].map(job_id));
}

// event_list, log_list

async fn talkative(f: &Fixture) -> Job {
    let running = f.running(1).await;
    let told = StepReport {
        steps: (1..=3).map(|step| (at(2), progress(0, step, "on"))).collect(),
        logs: ["one", "two", "three"].map(|text| line(&running, text)).to_vec(),
        ..report(&running)
    };
    f.store.job_report(&told, Some(at(3))).await.unwrap();
    running
}

pub(crate) async fn the_history_is_read_in_order_from_where_a_reader_stopped(f: Fixture) {
    let job = talkative(&f).await;
    for (after, limit, expected) in
        [(0, 99, vec![1, 2, 3, 4, 5]), (2, 2, vec![3, 4]), (4, 9, vec![5]), (5, 9, vec![]), (0, 0, vec![])]
    {
        let events = f.store.event_list(job.id, after, limit).await.unwrap();
        assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), expected);
    }
    assert!(f.store.event_list(job.id, u64::MAX, 9).await.unwrap().is_empty());
}

pub(crate) async fn the_log_is_read_in_order_from_where_a_reader_stopped(f: Fixture) {
    let job = talkative(&f).await;
    for (after, limit, expected) in [(0, 99, vec![1, 2, 3]), (1, 1, vec![2]), (2, 9, vec![3]), (3, 9, vec![])] {
        let lines = f.store.log_list(job.id, after, limit).await.unwrap();
        assert_eq!(lines.iter().map(|line| line.seq).collect::<Vec<_>>(), expected);
    }
    assert!(f.store.log_list(job.id, u64::MAX, 9).await.unwrap().is_empty());
}

pub(crate) async fn each_job_has_a_history_and_a_log_of_its_own(f: Fixture) {
    let first = talkative(&f).await;
    let second = f.running(2).await;
    let told = StepReport { logs: vec![line(&second, "other")], ..report(&second) };
    f.store.job_report(&told, Some(at(4))).await.unwrap();
    assert_eq!(f.store.log_list(second.id, 0, 9).await.unwrap()[0].seq, 1);
    assert_eq!(f.log(second.id).await, ["other"]);
    assert_eq!((f.history(first.id).await.len(), f.history(second.id).await.len()), (5, 2));
}

// attempt_list, artifact_list

pub(crate) async fn attempts_come_in_order_and_the_running_one_is_last_and_without_an_end(f: Fixture) {
    let running = f.running(1).await;
    f.finish(&running, failed()).await;
    f.store.job_promote(1, Some(at(60))).await.unwrap();
    f.claim(2, 1, at(61)).await;
    let attempts = f.attempts(running.id).await;
    let told: Vec<_> =
        attempts.iter().map(|it| (it.lease, it.attempt, it.worker_id, it.started_at, it.ended_at)).collect();
    assert_eq!(told, [(1, 1, worker_id(1), at(1), Some(at(5))), (2, 2, worker_id(2), at(61), None)]);
    assert!(attempts[0].error.is_some() && attempts[1].error.is_none());
}

pub(crate) async fn a_job_that_has_not_started_has_no_attempts(f: Fixture) {
    f.add(&[new_job(1)]).await;
    assert!(f.attempts(job_id(1)).await.is_empty());
}

pub(crate) async fn artifacts_come_by_name(f: Fixture) {
    let running = f.running(1).await;
    let artifacts = ["b.csv", "a/z.csv", "B.csv", "ä.csv"].map(|name| windlass_model::Artifact {
        name: name.to_owned(),
        bytes: 0,
        content_type: "text/csv".to_owned(),
        sha256: "0".repeat(64),
        lease: 1,
    });
    f.record(Finished { artifacts: artifacts.to_vec(), ..finished(&running, completed()) }).await;
    let names: Vec<_> = f.store.artifact_list(running.id).await.unwrap().into_iter().map(|it| it.name).collect();
    // By their bytes, whatever language the database speaks.
    assert_eq!(names, ["B.csv", "a/z.csv", "b.csv", "ä.csv"]);
}

pub(crate) async fn the_lists_of_a_job_that_is_not_there_are_empty(f: Fixture) {
    talkative(&f).await;
    let nobody = job_id(9);
    assert!(f.store.event_list(nobody, 0, 9).await.unwrap().is_empty());
    assert!(f.store.log_list(nobody, 0, 9).await.unwrap().is_empty());
    assert!(f.store.attempt_list(nobody).await.unwrap().is_empty());
    assert!(f.store.artifact_list(nobody).await.unwrap().is_empty());
}

// ping

pub(crate) async fn a_database_that_is_there_answers(f: Fixture) {
    f.store.ping().await.unwrap();
}
