//! Rows as the databases hand them out, and what they are in the model.
//!
//! Whatever does not parse was not written by this version: it is reported as [`StoreError::Corrupt`], never guessed at.

use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use windlass_model::{
    Artifact, Attempt, AttemptError, EventKind, Job, JobEvent, JobId, JobState, JsonText, LogLine, Priority, Progress,
    Timestamp, Worker, WorkerId,
};

use crate::StoreError;
use crate::record::record;
use crate::value::{Time, as_json};

record! {
    /// Also what is kept of a job as it was when its enqueue was answered: see `Idempotency`.
    #[derive(Clone, Serialize, Deserialize)]
    pub(crate) struct JobRow {
        id: Uuid,
        task: String,
        queue: String,
        priority: i64,
        state: String,
        args: String,
        output: Option<String>,
        error_kind: Option<String>,
        error_message: Option<String>,
        attempt: i64,
        max_attempts: i64,
        timeout_ms: Option<i64>,
        backoff: String,
        lease: i64,
        worker_id: Option<Uuid>,
        crash_count: i64,
        host_fault_count: i64,
        cancel_requested_at: Option<Time>,
        percent_complete: Option<i64>,
        task_step: Option<i64>,
        status_info: Option<String>,
        tags: String,
        metadata: String,
        created_at: Time,
        run_at: Time,
        started_at: Option<Time>,
        finished_at: Option<Time>,
        expires_at: Option<Time>,
        concurrency_key: Option<String>,
        parent_id: Option<Uuid>,
        pending_count: i64,
        plugin_digest: Option<String>,
        /// Absent in what an older version kept of a job.
        #[serde(default)]
        bill: Option<String>,
    }
}

record! {
    /// A job that was just claimed: what its attempt needs to know. What it came to before, and its progress, are not read.
    pub(crate) struct ClaimedRow {
        id: Uuid,
        task: String,
        queue: String,
        priority: i64,
        args: String,
        attempt: i64,
        max_attempts: i64,
        timeout_ms: Option<i64>,
        backoff: String,
        lease: i64,
        crash_count: i64,
        host_fault_count: i64,
        cancel_requested_at: Option<Time>,
        tags: String,
        metadata: String,
        created_at: Time,
        run_at: Time,
        expires_at: Option<Time>,
        concurrency_key: Option<String>,
        parent_id: Option<Uuid>,
    }
}

impl ClaimedRow {
    pub(crate) fn claimed(self, worker: WorkerId, now: Timestamp) -> Result<Job, StoreError> {
        let row = self;
        Ok(Job {
            id: JobId::from_uuid(row.id),
            task: parsed("task", &row.task)?,
            queue: parsed("queue", &row.queue)?,
            priority: Priority::try_from(row.priority).map_err(|_| corrupt("priority", row.priority))?,
            state: JobState::Running,
            args: JsonText::trusted(row.args),
            output: None,
            error: None,
            attempt: number("attempt", row.attempt)?,
            max_attempts: number("max_attempts", row.max_attempts)?,
            timeout: timeout(row.timeout_ms)?,
            backoff: json("backoff", &row.backoff)?,
            lease: number("lease", row.lease)?,
            worker_id: Some(worker),
            crash_count: number("crash_count", row.crash_count)?,
            host_fault_count: number("host_fault_count", row.host_fault_count)?,
            cancel_requested_at: row.cancel_requested_at.map(|time| time.0),
            progress: Progress::default(),
            tags: json("tags", &row.tags)?,
            metadata: JsonText::trusted(row.metadata),
            plugin_digest: None,
            created_at: row.created_at.0,
            run_at: row.run_at.0,
            started_at: Some(now),
            finished_at: None,
            expires_at: row.expires_at.map(|time| time.0),
            concurrency_key: row.concurrency_key,
            parent_id: row.parent_id.map(JobId::from_uuid),
            waits_for: 0,
            bill: None,
        })
    }
}

fn timeout(millis: Option<i64>) -> Result<Option<Duration>, StoreError> {
    Ok(millis.map(|millis| number("timeout_ms", millis)).transpose()?.map(Duration::from_millis))
}

record! {
    pub(crate) struct EventRow {
        seq: i64,
        at: Time,
        attempt: i64,
        kind: String,
        state: Option<String>,
        reason: Option<String>,
        percent_complete: Option<i64>,
        task_step: Option<i64>,
        status_info: Option<String>,
    }
}

record! {
    pub(crate) struct LogRow {
        seq: i64,
        at: Time,
        attempt: i64,
        stream: String,
        text: String,
    }
}

record! {
    pub(crate) struct AttemptRow {
        job_id: Uuid,
        lease: i64,
        attempt: i64,
        worker_id: Uuid,
        plugin_digest: Option<String>,
        started_at: Time,
        ended_at: Option<Time>,
        error_kind: Option<String>,
        error_message: Option<String>,
        bill: Option<String>,
    }
}

record! {
    pub(crate) struct ArtifactRow {
        name: String,
        bytes: i64,
        content_type: String,
        sha256: String,
        lease: i64,
    }
}

record! {
    pub(crate) struct WorkerRow {
        id: Uuid,
        host: String,
        pid: i64,
        version: String,
        started_at: Time,
        heartbeat_at: Time,
        lease_until: Time,
    }
}

impl TryFrom<JobRow> for Job {
    type Error = StoreError;

    fn try_from(row: JobRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: JobId::from_uuid(row.id),
            task: parsed("task", &row.task)?,
            queue: parsed("queue", &row.queue)?,
            priority: Priority::try_from(row.priority).map_err(|_| corrupt("priority", row.priority))?,
            state: parsed("state", &row.state)?,
            args: JsonText::trusted(row.args),
            output: row.output.map(JsonText::trusted),
            error: attempt_error(row.error_kind, row.error_message)?,
            attempt: number("attempt", row.attempt)?,
            max_attempts: number("max_attempts", row.max_attempts)?,
            timeout: timeout(row.timeout_ms)?,
            backoff: json("backoff", &row.backoff)?,
            lease: number("lease", row.lease)?,
            worker_id: row.worker_id.map(WorkerId::from_uuid),
            crash_count: number("crash_count", row.crash_count)?,
            host_fault_count: number("host_fault_count", row.host_fault_count)?,
            cancel_requested_at: row.cancel_requested_at.map(|time| time.0),
            progress: progress(row.percent_complete, row.task_step, row.status_info)?,
            tags: json("tags", &row.tags)?,
            metadata: JsonText::trusted(row.metadata),
            plugin_digest: row.plugin_digest,
            created_at: row.created_at.0,
            run_at: row.run_at.0,
            started_at: row.started_at.map(|time| time.0),
            finished_at: row.finished_at.map(|time| time.0),
            expires_at: row.expires_at.map(|time| time.0),
            concurrency_key: row.concurrency_key,
            parent_id: row.parent_id.map(JobId::from_uuid),
            waits_for: number("pending_count", row.pending_count)?,
            bill: row.bill.map(|bill| json("bill", &bill)).transpose()?,
        })
    }
}

/// As it is kept for the answer to a repeated request.
impl From<&Job> for JobRow {
    fn from(job: &Job) -> Self {
        let (error_kind, error_message) = match &job.error {
            Some(error) => (Some(error.kind.as_str().to_owned()), Some(error.message.clone())),
            None => (None, None),
        };
        Self {
            id: job.id.as_uuid(),
            task: job.task.as_str().to_owned(),
            queue: job.queue.as_str().to_owned(),
            priority: i16::from(job.priority).into(),
            state: job.state.as_str().to_owned(),
            args: job.args.as_str().to_owned(),
            output: job.output.as_ref().map(|output| output.as_str().to_owned()),
            error_kind,
            error_message,
            attempt: job.attempt.into(),
            max_attempts: job.max_attempts.into(),
            timeout_ms: job.timeout.map(|span| clamped(span.as_millis())),
            backoff: as_json(&job.backoff),
            lease: clamped(job.lease.into()),
            worker_id: job.worker_id.map(WorkerId::as_uuid),
            crash_count: job.crash_count.into(),
            host_fault_count: job.host_fault_count.into(),
            cancel_requested_at: job.cancel_requested_at.map(Time),
            percent_complete: job.progress.percent_complete.map(i64::from),
            task_step: job.progress.task_step.map(i64::from),
            status_info: job.progress.status_info.clone(),
            tags: as_json(&job.tags),
            metadata: job.metadata.as_str().to_owned(),
            plugin_digest: job.plugin_digest.clone(),
            created_at: Time(job.created_at),
            run_at: Time(job.run_at),
            started_at: job.started_at.map(Time),
            finished_at: job.finished_at.map(Time),
            expires_at: job.expires_at.map(Time),
            concurrency_key: job.concurrency_key.clone(),
            parent_id: job.parent_id.map(JobId::as_uuid),
            pending_count: i64::from(job.waits_for),
            bill: job.bill.as_ref().map(as_json),
        }
    }
}

/// SQL has no unsigned numbers: what does not fit is as good as no limit.
pub(crate) fn clamped(number: u128) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl TryFrom<EventRow> for JobEvent {
    type Error = StoreError;

    fn try_from(row: EventRow) -> Result<Self, StoreError> {
        let kind = match (row.kind.as_str(), row.state) {
            ("state", Some(state)) => EventKind::State { state: parsed("state", &state)?, reason: row.reason },
            ("step", None) => EventKind::Step(progress(row.percent_complete, row.task_step, row.status_info)?),
            _ => return Err(corrupt("kind", row.kind)),
        };
        Ok(Self { seq: number("seq", row.seq)?, at: row.at.0, attempt: number("attempt", row.attempt)?, kind })
    }
}

impl TryFrom<LogRow> for LogLine {
    type Error = StoreError;

    fn try_from(row: LogRow) -> Result<Self, StoreError> {
        Ok(Self {
            seq: number("seq", row.seq)?,
            at: row.at.0,
            attempt: number("attempt", row.attempt)?,
            stream: parsed("stream", &row.stream)?,
            text: row.text,
        })
    }
}

impl TryFrom<AttemptRow> for Attempt {
    type Error = StoreError;

    fn try_from(row: AttemptRow) -> Result<Self, StoreError> {
        Ok(Self {
            job_id: JobId::from_uuid(row.job_id),
            lease: number("lease", row.lease)?,
            attempt: number("attempt", row.attempt)?,
            worker_id: WorkerId::from_uuid(row.worker_id),
            plugin_digest: row.plugin_digest,
            started_at: row.started_at.0,
            ended_at: row.ended_at.map(|time| time.0),
            error: attempt_error(row.error_kind, row.error_message)?,
            bill: row.bill.map(|bill| json("bill", &bill)).transpose()?,
        })
    }
}

impl TryFrom<ArtifactRow> for Artifact {
    type Error = StoreError;

    fn try_from(row: ArtifactRow) -> Result<Self, StoreError> {
        Ok(Self {
            name: row.name,
            bytes: number("bytes", row.bytes)?,
            content_type: row.content_type,
            sha256: row.sha256,
            lease: number("lease", row.lease)?,
        })
    }
}

impl TryFrom<WorkerRow> for Worker {
    type Error = StoreError;

    fn try_from(row: WorkerRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: WorkerId::from_uuid(row.id),
            host: row.host,
            pid: number("pid", row.pid)?,
            version: row.version,
            started_at: row.started_at.0,
            heartbeat_at: row.heartbeat_at.0,
            lease_until: row.lease_until.0,
        })
    }
}

pub(crate) fn corrupt(column: &'static str, found: impl ToString) -> StoreError {
    StoreError::Corrupt { column, found: found.to_string() }
}

pub(crate) fn parsed<T: FromStr>(column: &'static str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| corrupt(column, text))
}

pub(crate) fn number<T: TryFrom<i64>>(column: &'static str, value: i64) -> Result<T, StoreError> {
    T::try_from(value).map_err(|_| corrupt(column, value))
}

pub(crate) fn json<'a, T: serde::Deserialize<'a>>(column: &'static str, text: &'a str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| corrupt(column, text))
}

fn attempt_error(kind: Option<String>, message: Option<String>) -> Result<Option<AttemptError>, StoreError> {
    let Some(kind) = kind else { return Ok(None) };
    Ok(Some(AttemptError { kind: parsed("error_kind", &kind)?, message: message.unwrap_or_default() }))
}

fn progress(percent: Option<i64>, step: Option<i64>, info: Option<String>) -> Result<Progress, StoreError> {
    Ok(Progress {
        percent_complete: percent.map(|percent| number("percent_complete", percent)).transpose()?,
        task_step: step.map(|step| number("task_step", step)).transpose()?,
        status_info: info,
    })
}
