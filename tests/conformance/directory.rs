//! Reading.

use windlass_model::{JobFilter, JobState, PageSize, TaskName};

use crate::fixture::{Fixture, Store, at, done, id, later, new_job};

pub(crate) async fn what_is_not_there_is_empty<S: Store>(db: &Fixture<S>) {
    assert!(db.store.job_get(id(1)).await.unwrap().is_none());
    assert!(db.store.event_list(id(1), 0, 9).await.unwrap().is_empty());
    assert!(db.store.log_list(id(1), 0, 9).await.unwrap().is_empty());
    assert!(db.store.attempt_list(id(1)).await.unwrap().is_empty());
    assert!(db.store.artifact_list(id(1)).await.unwrap().is_empty());
    let page = db.store.job_list(&JobFilter::default(), PageSize::default()).await.unwrap();
    assert!(page.jobs.is_empty() && page.next.is_none());
}

pub(crate) async fn a_page_says_where_the_next_one_starts<S: Store>(db: &Fixture<S>) {
    let jobs: Vec<_> = (1..=5).map(new_job).collect();
    db.store.job_insert(&jobs, Some(at(0))).await.unwrap();
    let mut filter = JobFilter::default();
    let mut pages = Vec::new();
    loop {
        let page = db.store.job_list(&filter, PageSize::new(2).unwrap()).await.unwrap();
        pages.push(page.jobs.iter().map(|job| job.id).collect::<Vec<_>>());
        filter.after = page.next;
        if page.next.is_none() {
            break;
        }
    }
    assert_eq!(pages, [vec![id(5), id(4)], vec![id(3), id(2)], vec![id(1)]]);
}

pub(crate) async fn each_filter_narrows_the_list<S: Store>(db: &Fixture<S>) {
    let mut other = later(2, at(60));
    other.task = TaskName::parse("other").unwrap();
    other.queue = "slow".parse().unwrap();
    other.tags = Vec::new();
    db.store.job_insert(&[new_job(1)], Some(at(0))).await.unwrap();
    db.store.job_insert(&[other.clone()], Some(at(10))).await.unwrap();
    let filters = [
        (JobFilter { states: vec![JobState::Scheduled, JobState::Running], ..JobFilter::default() }, id(2)),
        (JobFilter { task: Some(other.task), ..JobFilter::default() }, id(2)),
        (JobFilter { queue: Some(other.queue), ..JobFilter::default() }, id(2)),
        (JobFilter { tag: Some("nightly".to_owned()), ..JobFilter::default() }, id(1)),
        (JobFilter { created_from: Some(at(10)), ..JobFilter::default() }, id(2)),
        (JobFilter { created_before: Some(at(10)), ..JobFilter::default() }, id(1)),
    ];
    for (filter, expected) in filters {
        let page = db.store.job_list(&filter, PageSize::default()).await.unwrap();
        assert_eq!(page.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), [expected], "{filter:?}");
    }
}

pub(crate) async fn a_history_is_read_from_where_the_reader_stopped<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    db.store.job_finish(&[done(&job)], Some(at(2))).await.unwrap();
    let seqs = |events: Vec<windlass_model::JobEvent>| events.iter().map(|event| event.seq).collect::<Vec<_>>();
    assert_eq!(seqs(db.store.event_list(job.id, 0, 2).await.unwrap()), [1, 2]);
    assert_eq!(seqs(db.store.event_list(job.id, 2, 9).await.unwrap()), [3]);
    assert!(db.store.event_list(job.id, u64::MAX, 9).await.unwrap().is_empty());
}

pub(crate) async fn the_running_attempt_comes_last_without_an_end<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    let end = crate::fixture::finished(&job, windlass_model::AttemptOutcome::Interrupted);
    db.store.job_finish(&[end], Some(at(2))).await.unwrap();
    db.claim(2).await;
    let attempts = db.store.attempt_list(job.id).await.unwrap();
    let ends: Vec<_> = attempts.iter().map(|attempt| (attempt.lease, attempt.ended_at)).collect();
    assert_eq!(ends, [(1, Some(at(2))), (2, None)]);
}

pub(crate) async fn the_database_answers<S: Store>(db: &Fixture<S>) {
    db.store.ping().await.unwrap();
}
