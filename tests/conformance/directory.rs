//! Reading.

use windlass_model::{Artifact, JobFilter, JobState, NewJob, PageSize, TaskName};
use windlass_store::{Finished, StepReport};

use crate::fixture::{Fixture, Store, at, done, full_report, id, later, line, new_job, progress};

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
    let all = seqs(db.store.event_list(job.id, 0, 9).await.unwrap());
    assert_eq!(all.len(), 3);
    assert_eq!(seqs(db.store.event_list(job.id, 0, 2).await.unwrap()), all[..2]);
    assert_eq!(seqs(db.store.event_list(job.id, all[1], 9).await.unwrap()), all[2..]);
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

pub(crate) async fn a_full_last_page_has_no_next<S: Store>(db: &Fixture<S>) {
    db.store.job_insert(&[new_job(1), new_job(2)], Some(at(0))).await.unwrap();
    let page = db.store.job_list(&JobFilter::default(), PageSize::new(2).unwrap()).await.unwrap();
    assert_eq!((page.jobs.len(), page.next), (2, None));
}

pub(crate) async fn what_is_enqueued_between_two_pages_is_on_neither<S: Store>(db: &Fixture<S>) {
    db.store.job_insert(&[new_job(1), new_job(2), new_job(3)], Some(at(0))).await.unwrap();
    let mut filter = JobFilter::default();
    filter.after = db.store.job_list(&filter, PageSize::new(2).unwrap()).await.unwrap().next;
    db.add(new_job(4)).await;
    let page = db.store.job_list(&filter, PageSize::new(2).unwrap()).await.unwrap();
    assert_eq!((page.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), page.next), (vec![id(1)], None));
}

pub(crate) async fn a_tag_is_matched_as_a_whole_and_filters_add_up<S: Store>(db: &Fixture<S>) {
    let tagged =
        |number, tags: &[&str]| NewJob { tags: tags.iter().map(|&tag| tag.to_owned()).collect(), ..new_job(number) };
    let slow = NewJob { queue: "slow".parse().unwrap(), ..tagged(4, &["red"]) };
    for job in [tagged(1, &["blue", "red"]), tagged(2, &["reddish"]), tagged(3, &[]), slow] {
        db.add(job).await;
    }
    let red = JobFilter { tag: Some("red".to_owned()), ..JobFilter::default() };
    let red_and_slow = JobFilter { queue: Some("slow".parse().unwrap()), ..red.clone() };
    for (filter, expected) in [(red, vec![id(4), id(1)]), (red_and_slow, vec![id(4)])] {
        let page = db.store.job_list(&filter, PageSize::default()).await.unwrap();
        assert_eq!(page.jobs.iter().map(|job| job.id).collect::<Vec<_>>(), expected, "{filter:?}");
    }
}

pub(crate) async fn a_list_shows_the_newest_progress_too<S: Store>(db: &Fixture<S>) {
    let job = db.running(1).await;
    db.store.job_report(&full_report(&job), Some(at(3))).await.unwrap();
    let page = db.store.job_list(&JobFilter::default(), PageSize::default()).await.unwrap();
    assert_eq!(page.jobs[0].progress, progress(40, 1));
}

pub(crate) async fn a_log_is_read_from_where_the_reader_stopped<S: Store>(db: &Fixture<S>) {
    let (job, other) = (db.running(1).await, db.running(2).await);
    let logs = ["one", "two", "three"].map(|text| line(&job, text)).into();
    db.store.job_report(&StepReport { logs, ..full_report(&job) }, Some(at(3))).await.unwrap();
    db.store.job_report(&full_report(&other), Some(at(3))).await.unwrap();
    for (after, limit, expected) in [(0, 2, vec![1, 2]), (2, 9, vec![3]), (3, 9, vec![]), (u64::MAX, 9, vec![])] {
        let lines = db.store.log_list(job.id, after, limit).await.unwrap();
        assert_eq!(lines.iter().map(|line| line.seq).collect::<Vec<_>>(), expected);
    }
    // Each job counts for itself.
    assert_eq!(db.store.log_list(other.id, 0, 9).await.unwrap()[0].seq, 1);
}

pub(crate) async fn artifacts_come_by_name<S: Store>(db: &Fixture<S>) {
    let artifact = |name: &str| Artifact {
        name: name.to_owned(),
        bytes: 0,
        content_type: "text/csv".to_owned(),
        sha256: "00".to_owned(),
        lease: 1,
    };
    let artifacts = ["b.csv", "a/z.csv", "B.csv", "ä.csv"].map(artifact).into();
    db.record(Finished { artifacts, ..done(&db.running(1).await) }).await;
    let names: Vec<_> = db.store.artifact_list(id(1)).await.unwrap().into_iter().map(|kept| kept.name).collect();
    // By their bytes, whatever language the database speaks.
    assert_eq!(names, ["B.csv", "a/z.csv", "b.csv", "ä.csv"]);
}

pub(crate) async fn a_nul_in_a_filter_finds_nothing<S: Store>(db: &Fixture<S>) {
    db.add(new_job(1)).await;
    let filter = JobFilter { tag: Some("nightly\0".to_owned()), ..JobFilter::default() };
    assert!(db.store.job_list(&filter, PageSize::default()).await.unwrap().jobs.is_empty());
}
