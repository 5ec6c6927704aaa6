//! The job as JSON.

use serde::Serialize;
use utoipa::ToSchema;
use windlass_model::{
    Artifact, AttemptError, ErrorKind, Job, JobId, JobState, JsonText, Priority, QueueName, TaskName, Timestamp,
    WorkerId,
};
use windlass_store::Added;

use super::bill::BillView;
use crate::routes::artifacts::ArtifactView;

/// A job.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub(crate) struct JobView {
    /// Its id, a UUID of version 7: ids sort by the time of the enqueue.
    #[schema(value_type = Uuid)]
    id: JobId,
    /// The task that handles it.
    #[schema(value_type = String, example = "export-csv")]
    task: TaskName,
    /// Its queue.
    #[schema(value_type = String, example = "default")]
    queue: QueueName,
    /// Which of two available jobs runs first: the smaller number, from -100 to 100.
    #[schema(value_type = i16, minimum = -100, maximum = 100)]
    priority: Priority,
    /// Where it is in its life.
    state: JobStateView,
    /// The arguments, as they were sent.
    #[schema(value_type = Object)]
    args: JsonText,
    /// What the handler returned, once the job is `completed`: any JSON.
    #[schema(value_type = serde_json::Value)]
    output: Option<JsonText>,
    /// How the last attempt failed, if it did.
    #[schema(required = true)]
    error: Option<ErrorView>,
    /// The number of the attempt that runs or ran last; 0 before the first.
    attempt: u32,
    /// How many attempts it has.
    max_attempts: u32,
    /// How far the last attempt came, from 0 to 100; null if its handler has not told.
    #[schema(required = true, maximum = 100)]
    percent_complete: Option<u8>,
    /// Which step it is at, counted as its handler likes.
    #[schema(required = true)]
    task_step: Option<u32>,
    /// What is going on, in words.
    #[schema(required = true, example = "Reading item 120,000 of 480,000")]
    status_info: Option<String>,
    /// Labels to filter by.
    tags: Vec<String>,
    /// What the application keeps with the job.
    #[schema(value_type = Object)]
    metadata: JsonText,
    /// The worker that runs it; null if none does.
    #[schema(value_type = Option<Uuid>, required = true)]
    worker_id: Option<WorkerId>,
    /// The SHA-256 of the component that ran the last attempt, in hexadecimal.
    #[schema(required = true)]
    plugin_digest: Option<String>,
    /// When it was enqueued.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it may start, or may have started.
    #[schema(value_type = String, format = DateTime)]
    run_at: Timestamp,
    /// When the last attempt started.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    started_at: Option<Timestamp>,
    /// When it came to a final state; null before.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    finished_at: Option<Timestamp>,
    /// Milliseconds from the start of the last attempt to the end of the job; null before the end, or if it never started.
    #[schema(required = true)]
    duration_ms: Option<u64>,
    /// When it is too late to start it; null if never.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    expires_at: Option<Timestamp>,
    /// Jobs of a queue with the same key share its limit for each key.
    #[schema(required = true)]
    concurrency_key: Option<String>,
    /// The job that enqueued it.
    #[schema(value_type = Option<Uuid>, required = true)]
    parent_id: Option<JobId>,
    /// How many of the jobs that it comes after have not ended yet.
    waits_for: u32,
    /// What the last attempt used that ended; null if there is none, if its handler never started or if its worker died.
    #[schema(required = true)]
    bill: Option<BillView>,
    /// In the answer to an enqueue: whether it was there before and holds the same unique key. Absent elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    deduplicated: Option<bool>,
    /// The files it left behind; empty unless it is `completed`. Absent in lists of jobs, where it would cost a query each.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    artifacts: Option<Vec<ArtifactView>>,
}

/// Where a job is in its life. `completed`, `discarded` and `cancelled` are final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = JobState)]
pub(crate) enum JobStateView {
    /// Waits for its `run_at`.
    Scheduled,
    /// Can be claimed by any worker that has its task.
    Available,
    /// A worker holds it.
    Running,
    /// An attempt failed; it waits for its `run_at` to be tried again.
    Retryable,
    /// It ended well.
    Completed,
    /// It failed for good.
    Discarded,
    /// Somebody cancelled it.
    Cancelled,
}

/// How an attempt failed.
#[derive(Serialize, ToSchema)]
#[schema(as = JobError)]
pub(crate) struct ErrorView {
    /// What kind of failure, for programs.
    kind: ErrorKindView,
    /// What happened, in words, as the handler or the daemon told it.
    message: String,
}

/// What kind of failure: `retryable` and `fatal` were said by the handler; `host` is the daemon's own; `expired` is
/// a job's that could not be started in time, and no attempt's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ErrorKind)]
pub(crate) enum ErrorKindView {
    Retryable,
    Fatal,
    Trap,
    Timeout,
    OutOfMemory,
    CpuTime,
    OutOfFuel,
    OutputTooLarge,
    ArtifactsTooLarge,
    ScratchFull,
    HostcallTooLarge,
    TooManyHandles,
    TooManyEnqueues,
    Denied,
    WorkerLost,
    Cancelled,
    Host,
    Expired,
}

impl JobView {
    /// A job with the files it left behind.
    pub(crate) fn whole(job: Job, artifacts: Vec<Artifact>) -> Self {
        let artifacts = artifacts.into_iter().map(|artifact| ArtifactView::new(job.id, artifact)).collect();
        Self { artifacts: Some(artifacts), ..Self::in_list(job) }
    }

    /// A job as it stands in a list: without its artifacts.
    pub(crate) fn in_list(job: Job) -> Self {
        Self {
            id: job.id,
            task: job.task,
            queue: job.queue,
            priority: job.priority,
            state: job.state.into(),
            args: job.args,
            output: job.output,
            error: job.error.map(ErrorView::from),
            attempt: job.attempt,
            max_attempts: job.max_attempts,
            percent_complete: job.progress.percent_complete,
            task_step: job.progress.task_step,
            status_info: job.progress.status_info,
            tags: job.tags,
            metadata: job.metadata,
            worker_id: job.worker_id,
            plugin_digest: job.plugin_digest,
            created_at: job.created_at,
            run_at: job.run_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
            duration_ms: duration_ms(job.started_at, job.finished_at),
            expires_at: job.expires_at,
            concurrency_key: job.concurrency_key,
            parent_id: job.parent_id,
            waits_for: job.waits_for,
            bill: job.bill.map(BillView::from),
            deduplicated: None,
            artifacts: None,
        }
    }

    /// A job as an enqueue answers it.
    pub(crate) fn added(added: Added) -> Self {
        Self { deduplicated: Some(added.is_deduplicated), ..Self::whole(added.job, Vec::new()) }
    }
}

/// A job as an answer has it, without its artifacts: for those who measure that.
#[must_use]
pub fn render_job(job: Job) -> String {
    // A plain struct with string keys: serialising it into memory cannot fail.
    serde_json::to_string(&JobView::in_list(job)).unwrap_or_default()
}

/// Whole milliseconds between two times, once both are known.
pub(crate) fn duration_ms(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<u64> {
    let span = to?.since(from?);
    Some(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

impl From<JobState> for JobStateView {
    fn from(state: JobState) -> Self {
        match state {
            JobState::Scheduled => Self::Scheduled,
            JobState::Available => Self::Available,
            JobState::Running => Self::Running,
            JobState::Retryable => Self::Retryable,
            JobState::Completed => Self::Completed,
            JobState::Discarded => Self::Discarded,
            JobState::Cancelled => Self::Cancelled,
        }
    }
}

impl From<AttemptError> for ErrorView {
    fn from(error: AttemptError) -> Self {
        Self { kind: error.kind.into(), message: error.message }
    }
}

impl From<ErrorKind> for ErrorKindView {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Retryable => Self::Retryable,
            ErrorKind::Fatal => Self::Fatal,
            ErrorKind::Trap => Self::Trap,
            ErrorKind::Timeout => Self::Timeout,
            ErrorKind::OutOfMemory => Self::OutOfMemory,
            ErrorKind::CpuTime => Self::CpuTime,
            ErrorKind::OutOfFuel => Self::OutOfFuel,
            ErrorKind::OutputTooLarge => Self::OutputTooLarge,
            ErrorKind::ArtifactsTooLarge => Self::ArtifactsTooLarge,
            ErrorKind::ScratchFull => Self::ScratchFull,
            ErrorKind::HostcallTooLarge => Self::HostcallTooLarge,
            ErrorKind::TooManyHandles => Self::TooManyHandles,
            ErrorKind::TooManyEnqueues => Self::TooManyEnqueues,
            ErrorKind::Denied => Self::Denied,
            ErrorKind::WorkerLost => Self::WorkerLost,
            ErrorKind::Cancelled => Self::Cancelled,
            ErrorKind::Host => Self::Host,
            ErrorKind::Expired => Self::Expired,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_has_the_same_name_on_the_wire_as_everywhere_else() {
        for state in JobState::ALL {
            assert_eq!(serde_json::to_value(JobStateView::from(state)).unwrap(), state.as_str());
        }
    }

    #[test]
    fn a_kind_of_error_has_the_same_name_on_the_wire_as_everywhere_else() {
        for kind in ErrorKind::ALL {
            assert_eq!(serde_json::to_value(ErrorKindView::from(kind)).unwrap(), kind.as_str());
        }
    }

    #[test]
    fn a_job_that_never_started_has_no_duration() {
        let at = |micros| Some(Timestamp::from_micros(micros));
        assert_eq!(duration_ms(None, at(5)), None);
        assert_eq!(duration_ms(at(5), None), None);
        assert_eq!(duration_ms(at(1_000), at(2_501_000)), Some(2_500));
        assert_eq!(duration_ms(at(2_000), at(1_000)), Some(0));
    }
}
