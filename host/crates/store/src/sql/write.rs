//! One transaction that writes, and the steps that several calls share.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;
use uuid::Uuid;
use windlass_model::{Artifact, Attempt, Job, JobId, JobState, JsonText, LogLine, Progress, QueueName, Timestamp};

use super::KnownQueues;
use crate::StoreError;
use crate::dialect::Dialect;
use crate::record::Record;
use crate::row::JobRow;
use crate::seam::{Changes, FinishOutcome, Finished};
use crate::statement::{self, Statement};
use crate::value::{Input, Rows, Value, hex};

/// A transaction, and the time that it goes by. Without a commit nothing of it stays.
pub(super) struct Write<D: Dialect> {
    pub(super) dialect: D,
    pub(super) tx: D::Tx,
    pub(super) now: Timestamp,
    /// What others are told at the commit.
    pub(super) changes: Changes,
    pub(super) queues: KnownQueues,
    /// Known when the commit has gone well.
    pub(super) new_queues: BTreeSet<QueueName>,
}

/// One entry for a job's history that stands in no row of the job or of its attempts.
pub(super) struct NewEvent {
    job: JobId,
    is_first: bool,
    at: Option<Timestamp>,
    attempt: u32,
    /// Absent for a step.
    state: Option<JobState>,
    reason: Option<String>,
    step: Progress,
}

impl NewEvent {
    pub(super) fn state(job: JobId, attempt: u32, state: JobState, reason: Option<String>) -> Self {
        let step = Progress::default();
        Self { job, is_first: false, at: None, attempt, state: Some(state), reason, step }
    }

    /// How a job begins that is not available at once.
    pub(super) fn first(job: JobId, state: JobState) -> Self {
        Self { is_first: true, ..Self::state(job, 0, state, None) }
    }

    pub(super) fn step(job: JobId, attempt: u32, at: Timestamp, step: &Progress) -> Self {
        let step = step.clone();
        Self { job, is_first: false, at: Some(at), attempt, state: None, reason: None, step }
    }

    fn row(&self, place: usize, now: Timestamp) -> [Value; 11] {
        [
            self.job.as_uuid().into(),
            self.is_first.then_some(1_i64).into(),
            Value::count(place as u64),
            self.at.unwrap_or(now).into(),
            self.attempt.into(),
            if self.state.is_some() { "state" } else { "step" }.into(),
            Value::word(self.state.map(JobState::as_str)),
            self.reason.clone().into(),
            self.step.percent_complete.map(i64::from).into(),
            self.step.task_step.map(i64::from).into(),
            self.step.status_info.clone().into(),
        ]
    }
}

/// A job that is to be cancelled if it does not run, and why.
#[derive(Serialize)]
pub(super) struct Unwanted {
    id: String,
    reason: String,
}

impl Unwanted {
    /// Somebody asked for it.
    pub(super) fn by_hand(id: JobId) -> Self {
        Self::new(id, "cancelled before it ran".to_owned())
    }

    pub(super) fn new(id: JobId, reason: String) -> Self {
        Self { id: hex(id.as_uuid()), reason }
    }
}

#[derive(Serialize)]
struct LogLineRow<'a> {
    at: i64,
    attempt: u32,
    stream: &'static str,
    text: &'a str,
}

impl<D: Dialect> Write<D> {
    /// Makes all of it durable, and tells other daemons of it once, however much it is.
    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        let told = self.dialect.tell(&mut self.tx, self.changes).await;
        told.map_err(|source| StoreError::new("notify", source))?;
        D::commit(self.tx).await.map_err(|source| StoreError::new("commit", source))?;
        if !self.new_queues.is_empty() {
            self.queues.add(self.new_queues);
        }
        Ok(())
    }

    /// Runs a statement and says how many rows it changed.
    pub(super) async fn execute(&mut self, statement: Statement, input: impl Into<Input>) -> Result<u64, StoreError> {
        self.dialect.execute(&mut self.tx, statement, input.into()).await.map_err(statement.fault())
    }

    /// Runs a statement and returns its rows.
    pub(super) async fn rows<R: Record>(
        &mut self,
        statement: Statement,
        input: impl Into<Input>,
    ) -> Result<Vec<R>, StoreError> {
        self.dialect.fetch(&mut self.tx, statement, input.into()).await.map_err(statement.fault())
    }

    /// Runs a statement and reads its rows as jobs.
    pub(super) async fn jobs(&mut self, statement: Statement, values: Vec<Value>) -> Result<Vec<Job>, StoreError> {
        self.rows::<JobRow>(statement, values).await?.into_iter().map(Job::try_from).collect()
    }

    pub(super) async fn job(&mut self, id: JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.jobs(statement::job_get, vec![id.as_uuid().into()]).await?.pop())
    }

    /// Whether a job runs under this lease. It goes on to do so until the transaction ends.
    pub(super) async fn is_held(&mut self, id: JobId, lease: u64) -> Result<bool, StoreError> {
        let values = vec![id.as_uuid().into(), Value::lease(lease)];
        Ok(!self.rows::<(Uuid,)>(statement::job_hold, values).await?.is_empty())
    }

    /// Adds to the histories of jobs what is said in no other row.
    pub(super) async fn append_events(&mut self, events: &[NewEvent]) -> Result<(), StoreError> {
        events.iter().filter_map(|event| event.state).for_each(|state| self.note_change(state));
        let rows = events.iter().enumerate().map(|(place, event)| event.row(place, self.now));
        let rows = Rows::of(rows);
        self.execute(statement::event_append, rows).await.map(drop)
    }

    /// A job came to this state. Each change of a state is noted here, so that none is forgotten when others are told.
    pub(super) fn note_change(&mut self, to: JobState) {
        self.changes.available |= to == JobState::Available;
        self.changes.scheduled |= matches!(to, JobState::Scheduled | JobState::Retryable);
    }

    pub(super) async fn append_logs(&mut self, job: JobId, lines: &[LogLine]) -> Result<(), StoreError> {
        if !lines.is_empty() {
            let rows: Vec<_> = lines
                .iter()
                .map(|line| LogLineRow {
                    at: line.at.as_micros(),
                    attempt: line.attempt,
                    stream: line.stream.as_str(),
                    text: &line.text,
                })
                .collect();
            self.execute(statement::log_append, vec![job.as_uuid().into(), Value::json(&rows)]).await?;
        }
        Ok(())
    }

    /// Finishes attempts, each only if it still holds its job: see `JobQueue::job_finish`. The rescue ends here too, so that
    /// both are fenced by the same statement.
    pub(super) async fn finish(&mut self, finished: &[Finished]) -> Result<Vec<FinishOutcome>, StoreError> {
        let rows = Rows::of(finished.iter().map(|done| finish_row(done, self.now)));
        let held: Vec<(Uuid, i64)> = self.rows(statement::job_finish, rows).await?;
        let leases: HashMap<_, _> = held.iter().map(|(id, held)| (*id, held / 2)).collect();
        let is_recorded = |done: &&Finished| {
            leases
                .get(&done.attempt.job_id.as_uuid())
                .is_some_and(|lease| u64::try_from(*lease) == Ok(done.attempt.lease))
        };
        let recorded: Vec<_> = finished.iter().filter(is_recorded).collect();
        self.keep_ends(&recorded).await?;
        let ended: Vec<_> = recorded.iter().map(|done| (done.attempt.job_id, done.transition.to.is_final())).collect();
        self.tidy_and_settle(&ended).await?;
        let unwanted = held.into_iter().filter(|(_, held)| held % 2 == 1);
        let reason = || "cancelled after an attempt that did not end it".to_owned();
        let unwanted: Vec<_> = unwanted.map(|(id, ..)| Unwanted::new(JobId::from_uuid(id), reason())).collect();
        self.cancel(&unwanted).await?;
        Ok(finished
            .iter()
            .map(|done| if is_recorded(&done) { FinishOutcome::Recorded } else { FinishOutcome::Stale })
            .collect())
    }

    /// Writes down that a running job is to be cancelled, for its worker to see, and says whether it runs.
    pub(super) async fn request_cancel(&mut self, id: JobId) -> Result<bool, StoreError> {
        let values = vec![id.as_uuid().into(), self.now.into()];
        let is_requested = self.execute(statement::job_cancel_request, values).await? > 0;
        self.changes.cancels |= is_requested;
        Ok(is_requested)
    }

    /// Cancels those of the jobs that do not run and are not over, with what comes after them, and returns which they were.
    pub(super) async fn cancel(&mut self, unwanted: &[Unwanted]) -> Result<Vec<JobId>, StoreError> {
        let cancelled = self.end_waiting(unwanted).await?;
        self.settle(cancelled.clone()).await?;
        Ok(cancelled)
    }

    /// The same without what comes after them.
    pub(super) async fn end_waiting(&mut self, unwanted: &[Unwanted]) -> Result<Vec<JobId>, StoreError> {
        if unwanted.is_empty() {
            return Ok(Vec::new());
        }
        let values = vec![Value::json(unwanted), self.now.into()];
        let cancelled: Vec<(Uuid, i64)> = self.rows(statement::job_cancel, values).await?;
        self.note_ends(JobState::Cancelled, &cancelled).await
    }

    /// Discards jobs that could not be started before it was too late, with what comes after them, and returns which they were.
    pub(super) async fn expire(&mut self, limit: u32) -> Result<Vec<JobId>, StoreError> {
        let expired: Vec<(Uuid, i64)> = self.rows(statement::job_expire, vec![limit.into(), self.now.into()]).await?;
        let expired = self.note_ends(JobState::Discarded, &expired).await?;
        self.settle(expired.clone()).await?;
        Ok(expired)
    }

    /// Notes in the histories of jobs that they ended without an attempt, and forgets what was kept for the next one.
    async fn note_ends(&mut self, state: JobState, ended: &[(Uuid, i64)]) -> Result<Vec<JobId>, StoreError> {
        if ended.is_empty() {
            return Ok(Vec::new());
        }
        let reason = (state == JobState::Discarded).then(|| "expired".to_owned());
        let event = |(id, attempt): &(Uuid, i64)| {
            let attempt = u32::try_from(*attempt).unwrap_or(0);
            NewEvent::state(JobId::from_uuid(*id), attempt, state, reason.clone())
        };
        let events: Vec<_> = ended.iter().map(event).collect();
        self.append_events(&events).await?;
        let ids: Vec<_> = ended.iter().map(|(id, _)| hex(*id)).collect();
        self.execute(statement::checkpoint_delete, vec![Value::json(&ids)]).await?;
        Ok(ended.iter().map(|(id, _)| JobId::from_uuid(*id)).collect())
    }

    async fn keep_ends(&mut self, recorded: &[&Finished]) -> Result<(), StoreError> {
        if recorded.is_empty() {
            return Ok(());
        }
        recorded.iter().for_each(|done| self.note_change(done.transition.to));
        let ended = Rows::of(recorded.iter().map(|done| ended_row(done, self.now)));
        self.execute(statement::attempt_insert, ended).await?;

        let steps = |done: &&Finished| {
            let (job, attempt) = (done.attempt.job_id, done.attempt.attempt);
            done.steps.iter().map(|(at, step)| NewEvent::step(job, attempt, *at, step)).collect::<Vec<_>>()
        };
        let steps: Vec<_> = recorded.iter().flat_map(steps).collect();
        self.append_events(&steps).await?;

        for done in recorded {
            self.append_logs(done.attempt.job_id, &done.logs).await?;
            if done.transition.to == JobState::Completed && !done.artifacts.is_empty() {
                self.keep_artifacts(&done.attempt, &done.artifacts).await?;
            }
        }
        Ok(())
    }

    async fn keep_artifacts(&mut self, attempt: &Attempt, artifacts: &[Artifact]) -> Result<(), StoreError> {
        let values = vec![attempt.job_id.as_uuid().into(), Value::json(artifacts)];
        self.execute(statement::artifact_insert, values).await.map(drop)
    }
}

fn finish_row(done: &Finished, now: Timestamp) -> [Value; 14] {
    let Finished { attempt, transition, progress, .. } = done;
    [
        attempt.job_id.as_uuid().into(),
        Value::lease(attempt.lease),
        transition.delay.map(|delay| now.plus(delay)).into(),
        transition.to.is_final().then_some(now).into(),
        transition.to.as_str().into(),
        u32::from(!transition.counts).into(),
        transition.crash_count.into(),
        transition.host_fault_count.into(),
        Value::word(transition.output.as_ref().map(JsonText::as_str)),
        Value::word(transition.error.as_ref().map(|error| error.kind.as_str())),
        transition.error.as_ref().map(|error| error.message.clone()).into(),
        progress.percent_complete.map(i64::from).into(),
        progress.task_step.map(i64::from).into(),
        progress.status_info.clone().into(),
    ]
}

fn ended_row(done: &Finished, now: Timestamp) -> [Value; 12] {
    let Finished { attempt, transition, .. } = done;
    [
        attempt.job_id.as_uuid().into(),
        Value::lease(attempt.lease),
        attempt.attempt.into(),
        attempt.worker_id.as_uuid().into(),
        Value::word(attempt.plugin_digest.as_deref()),
        attempt.started_at.into(),
        now.into(),
        Value::word(transition.error.as_ref().map(|error| error.kind.as_str())),
        transition.error.as_ref().map(|error| error.message.clone()).into(),
        // Eight numbers cannot fail to become JSON.
        Value::Text(attempt.bill.and_then(|bill| serde_json::to_string(&bill).ok())),
        transition.to.as_str().into(),
        transition.reason.clone().into(),
    ]
}
