//! A database for one case, and shorthands for what cases do.

use std::any::Any;
use std::time::Duration;

use uuid::Uuid;
use windlass_model::{
    Attempt, AttemptError, AttemptFacts, AttemptOutcome, Backoff, Bounds, ErrorKind, Job, JobEvent, JobId, JsonText,
    LogLine, LogStream, NewJob, OnFailure, Priority, Progress, RunAt, TaskName, Timestamp, Transition, WorkerId,
};
use windlass_store::{
    FinishOutcome, Finished, Janitor, JobDirectory, JobInbox, JobQueue, KeyValues, Ledger, Operations, QueueBoard,
    StepReport, StoreError, Submitted, Upkeep, VersionShelf, WorkerSlot,
};

/// All seams of one database.
pub(crate) trait Store:
    JobInbox + JobQueue + JobDirectory + QueueBoard + Operations + Janitor + Upkeep + KeyValues + VersionShelf + Ledger
{
    /// Adds jobs, all or none, none of which is there already.
    async fn job_insert(&self, jobs: &[NewJob], now: Option<Timestamp>) -> Result<Vec<Job>, StoreError> {
        let answer = self.job_submit(&[jobs.to_vec().into()], now).await?.pop().expect("an answer for each submission");
        let Submitted::Added(added) = answer else { panic!("{answer:?}") };
        assert!(added.iter().all(|added| !added.is_deduplicated), "{added:?}");
        Ok(added.into_iter().map(|added| added.job).collect())
    }

    /// Submits one job.
    async fn submit(&self, job: NewJob) -> Submitted {
        self.job_submit(&[vec![job].into()], Some(at(0))).await.unwrap().pop().unwrap()
    }
}
impl<S> Store for S where
    S: JobInbox
        + JobQueue
        + JobDirectory
        + QueueBoard
        + Operations
        + Janitor
        + Upkeep
        + KeyValues
        + VersionShelf
        + Ledger
{
}

/// A fresh database for one case.
pub(crate) struct Fixture<S> {
    pub(crate) store: S,
    /// Whatever must live as long as the database.
    pub(crate) _keep: Box<dyn Any>,
}

/// The time of a case, so many seconds after its start.
pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_micros(1_800_000_000_000_000).plus(Duration::from_secs(seconds))
}

pub(crate) fn id(number: u128) -> JobId {
    JobId::from_uuid(Uuid::from_u128(number))
}

pub(crate) fn worker(number: u128) -> WorkerId {
    WorkerId::from_uuid(Uuid::from_u128(0xF000 + number))
}

pub(crate) fn slot(number: u128) -> WorkerSlot {
    WorkerSlot { id: worker(number), host: "here".to_owned(), pid: 7, version: "1".to_owned() }
}

pub(crate) fn task() -> TaskName {
    TaskName::parse("export-csv").unwrap()
}

pub(crate) fn new_job(number: u128) -> NewJob {
    NewJob {
        id: id(number),
        task: task(),
        queue: "exports".parse().unwrap(),
        priority: Priority::default(),
        args: JsonText::parse(r#"{"b": 1.10, "a": "ü"}"#).unwrap(),
        run_at: None,
        expires_at: None,
        max_attempts: 3,
        timeout: Some(Duration::from_secs(60)),
        backoff: Backoff::default(),
        concurrency_key: None,
        unique: None,
        after: Vec::new(),
        on_failure: OnFailure::default(),
        parent: None,
        tags: vec!["nightly".to_owned()],
        metadata: JsonText::parse(r#"{"user": 7}"#).unwrap(),
    }
}

pub(crate) fn later(number: u128, time: Timestamp) -> NewJob {
    NewJob { run_at: Some(RunAt::Time(time)), ..new_job(number) }
}

impl<S: Store> Fixture<S> {
    pub(crate) async fn add(&self, job: NewJob) -> Job {
        self.store.job_insert(&[job], Some(at(0))).await.unwrap().pop().unwrap()
    }

    /// Adds a job and claims it.
    pub(crate) async fn running(&self, number: u128) -> Job {
        self.add(new_job(number)).await;
        self.claim(1).await
    }

    /// Claims the next job.
    pub(crate) async fn claim(&self, by: u128) -> Job {
        self.store
            .job_claim(worker(by), &[task()], 1, Some(at(1)))
            .await
            .unwrap()
            .jobs
            .pop()
            .expect("there is nothing to claim")
    }

    pub(crate) async fn get(&self, id: JobId) -> Job {
        self.store.job_get(id).await.unwrap().expect("the job is not there")
    }

    /// Writes an end down at second 5 and sees it recorded.
    pub(crate) async fn record(&self, end: Finished) -> Job {
        let id = end.attempt.job_id;
        let outcomes = self.store.job_finish(&[end], Some(at(5))).await.unwrap();
        assert!(matches!(outcomes[..], [FinishOutcome::Recorded]), "{outcomes:?}");
        self.get(id).await
    }

    /// A job that worker 1 lost and worker 2 runs now, as each of the two knows it.
    pub(crate) async fn stolen(&self, number: u128) -> (Job, Job) {
        let old = self.running(number).await;
        assert_eq!(self.store.job_rescue(Bounds::default(), 9, Some(at(5))).await.unwrap(), [old.id]);
        let new = self.claim(2).await;
        assert_eq!((old.id, old.lease, new.lease), (new.id, 1, 2));
        (old, new)
    }

    /// A job's history.
    pub(crate) async fn history(&self, id: JobId) -> Vec<JobEvent> {
        let events = self.store.event_list(id, 0, 1_000).await.unwrap();
        assert_eq!(events.first().map(|event| event.seq), Some(1), "{events:?}");
        assert!(events.is_sorted_by(|one, next| one.seq < next.seq), "{events:?}");
        events
    }

    /// The states of a job's history.
    pub(crate) async fn states(&self, id: JobId) -> Vec<String> {
        let events = self.history(id).await;
        let state = |event: &JobEvent| match &event.kind {
            windlass_model::EventKind::State { state, .. } => Some(state.to_string()),
            windlass_model::EventKind::Step(_) => None,
        };
        events.iter().filter_map(state).collect()
    }
}

pub(crate) fn finished(job: &Job, outcome: AttemptOutcome) -> Finished {
    Finished {
        attempt: Attempt {
            job_id: job.id,
            lease: job.lease,
            attempt: job.attempt,
            worker_id: job.worker_id.unwrap_or(worker(1)),
            plugin_digest: Some("abc".to_owned()),
            started_at: at(1),
            ended_at: None,
            error: None,
            bill: None,
        },
        transition: Transition::after(AttemptFacts::of(job), outcome, Bounds::default(), 0.0),
        progress: progress(100, 9),
        steps: Vec::new(),
        logs: Vec::new(),
        artifacts: Vec::new(),
    }
}

pub(crate) fn done(job: &Job) -> Finished {
    finished(job, AttemptOutcome::Completed(JsonText::parse(r#"{"rows": 3}"#).unwrap()))
}

pub(crate) fn failed(job: &Job) -> Finished {
    finished(job, AttemptOutcome::Failed(AttemptError::new(ErrorKind::Retryable, "not today")))
}

pub(crate) fn fatal(job: &Job) -> Finished {
    finished(job, AttemptOutcome::Failed(AttemptError::new(ErrorKind::Fatal, "never")))
}

pub(crate) fn progress(percent: u8, step: u32) -> Progress {
    Progress { percent_complete: Some(percent), task_step: Some(step), status_info: Some(format!("step {step}")) }
}

pub(crate) fn report(job: &Job, progress: Progress) -> StepReport {
    StepReport { id: job.id, lease: job.lease, attempt: job.attempt, progress, steps: Vec::new(), logs: Vec::new() }
}

/// Everything that a report can hold.
pub(crate) fn full_report(job: &Job) -> StepReport {
    StepReport {
        steps: vec![(at(3), progress(40, 1))],
        logs: vec![line(job, "a line")],
        ..report(job, progress(40, 1))
    }
}

pub(crate) fn line(job: &Job, text: &str) -> LogLine {
    LogLine { seq: 0, at: at(2), attempt: job.attempt, stream: LogStream::Stdout, text: text.to_owned() }
}
