//! One transaction that writes, and the steps that several calls share.

use std::collections::HashMap;
use std::time::Duration;

use serde::Serialize;
use sqlx::Transaction;
use uuid::Uuid;
use windlass_model::{Artifact, Attempt, Job, JobId, JobState, LogLine, Progress, Timestamp};

use crate::StoreError;
use crate::dialect::{Dialect, Record};
use crate::row::JobRow;
use crate::seam::{Changes, FinishOutcome, Finished};
use crate::statement::{self, Statement};
use crate::value::{Value, hex};

/// A transaction, and the time that it goes by. Without a commit nothing of it stays.
pub(super) struct Write<D: Dialect> {
    pub(super) dialect: D,
    pub(super) tx: Transaction<'static, D::Db>,
    pub(super) now: Timestamp,
    /// What others are told at the commit.
    pub(super) changes: Changes,
}

/// One entry for a job's history.
#[derive(Serialize)]
pub(super) struct NewEvent {
    job_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<i64>,
    attempt: u32,
    kind: &'static str,
    state: Option<&'static str>,
    reason: Option<String>,
    percent_complete: Option<u8>,
    task_step: Option<u32>,
    status_info: Option<String>,
}

impl NewEvent {
    pub(super) fn state(job: JobId, attempt: u32, state: JobState, reason: Option<String>) -> Self {
        Self {
            job_id: hex(job.as_uuid()),
            at: None,
            attempt,
            kind: "state",
            state: Some(state.as_str()),
            reason,
            percent_complete: None,
            task_step: None,
            status_info: None,
        }
    }

    pub(super) fn step(job: JobId, attempt: u32, at: Timestamp, step: &Progress) -> Self {
        Self {
            job_id: hex(job.as_uuid()),
            at: Some(at.as_micros()),
            attempt,
            kind: "step",
            state: None,
            reason: None,
            percent_complete: step.percent_complete,
            task_step: step.task_step,
            status_info: step.status_info.clone(),
        }
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
struct FinishRow<'a> {
    id: String,
    lease: u64,
    state: &'static str,
    delay: Option<i64>,
    attempts_back: u8,
    crash_count: u32,
    host_fault_count: u32,
    output: Option<&'a str>,
    error_kind: Option<&'static str>,
    error_message: Option<&'a str>,
    percent_complete: Option<u8>,
    task_step: Option<u32>,
    status_info: Option<&'a str>,
    plugin_digest: Option<&'a str>,
    bill: Option<String>,
}

#[derive(Serialize)]
struct EndedRow<'a> {
    id: String,
    lease: u64,
    attempt: u32,
    worker_id: String,
    plugin_digest: Option<&'a str>,
    started_at: i64,
    error_kind: Option<&'static str>,
    error_message: Option<&'a str>,
    bill: Option<String>,
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
        self.tx.commit().await.map_err(|source| StoreError::new("commit", source))
    }

    /// Runs a statement and says how many rows it changed.
    pub(super) async fn execute(&mut self, statement: Statement, values: Vec<Value>) -> Result<u64, StoreError> {
        self.dialect.execute(&mut self.tx, statement, values).await.map_err(statement.fault())
    }

    /// Runs a statement and returns its rows.
    pub(super) async fn rows<R: Record>(
        &mut self,
        statement: Statement,
        values: Vec<Value>,
    ) -> Result<Vec<R>, StoreError> {
        self.dialect.fetch(&mut self.tx, statement, values).await.map_err(statement.fault())
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

    /// Each change of a state goes through here, so none is forgotten when others are told.
    pub(super) async fn append_events(&mut self, events: &[NewEvent]) -> Result<(), StoreError> {
        for state in events.iter().filter_map(|event| event.state) {
            self.changes.available |= state == JobState::Available.as_str();
            self.changes.scheduled |= [JobState::Scheduled.as_str(), JobState::Retryable.as_str()].contains(&state);
        }
        if !events.is_empty() {
            self.execute(statement::event_append, vec![Value::json(events), self.now.into()]).await?;
        }
        Ok(())
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
        let rows: Vec<_> = finished.iter().map(|done| finish_row(done, self.now)).collect();
        let values = vec![Value::json(&rows), self.now.into()];
        let held: Vec<(Uuid, i64, bool)> = self.rows(statement::job_finish, values).await?;
        let leases: HashMap<_, _> = held.iter().map(|(id, lease, _)| (*id, *lease)).collect();
        let is_recorded = |done: &&Finished| {
            leases
                .get(&done.attempt.job_id.as_uuid())
                .is_some_and(|lease| u64::try_from(*lease) == Ok(done.attempt.lease))
        };
        let recorded: Vec<_> = finished.iter().filter(is_recorded).collect();
        self.keep_ends(&recorded).await?;
        let over =
            recorded.iter().filter(|done| done.transition.to.is_final()).map(|done| done.attempt.job_id).collect();
        self.settle(over).await?;
        let unwanted = held.into_iter().filter(|(_, _, is_unwanted)| *is_unwanted);
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
        let ended: Vec<_> = recorded.iter().map(|done| ended_row(done)).collect();
        self.execute(statement::attempt_insert, vec![Value::json(&ended), self.now.into()]).await?;

        let ids: Vec<_> = recorded.iter().map(|done| hex(done.attempt.job_id.as_uuid())).collect();
        self.execute(statement::progress_delete, vec![Value::json(&ids)]).await?;
        let over: Vec<_> = recorded
            .iter()
            .filter(|done| done.transition.to.is_final())
            .map(|done| hex(done.attempt.job_id.as_uuid()))
            .collect();
        if !over.is_empty() {
            self.execute(statement::checkpoint_delete, vec![Value::json(&over)]).await?;
        }

        let mut events = Vec::with_capacity(recorded.len());
        for done in recorded {
            let (job, attempt) = (done.attempt.job_id, done.attempt.attempt);
            events.extend(done.steps.iter().map(|(at, step)| NewEvent::step(job, attempt, *at, step)));
            events.push(NewEvent::state(job, attempt, done.transition.to, done.transition.reason.clone()));
        }
        self.append_events(&events).await?;

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

fn finish_row(done: &Finished, now: Timestamp) -> FinishRow<'_> {
    let Finished { attempt, transition, progress, .. } = done;
    FinishRow {
        id: hex(attempt.job_id.as_uuid()),
        lease: attempt.lease,
        state: transition.to.as_str(),
        // No later than the last time that is kept: a handler may snooze for as long as it can say, and a sum that does not
        // fit would make the database refuse the whole list.
        delay: transition.delay.map(|delay| micros(now.plus(delay).since(now))),
        attempts_back: u8::from(!transition.counts),
        crash_count: transition.crash_count,
        host_fault_count: transition.host_fault_count,
        output: transition.output.as_ref().map(windlass_model::JsonText::as_str),
        error_kind: transition.error.as_ref().map(|error| error.kind.as_str()),
        error_message: transition.error.as_ref().map(|error| error.message.as_str()),
        percent_complete: progress.percent_complete,
        task_step: progress.task_step,
        status_info: progress.status_info.as_deref(),
        plugin_digest: attempt.plugin_digest.as_deref(),
        bill: bill(attempt),
    }
}

fn bill(attempt: &Attempt) -> Option<String> {
    // Eight numbers cannot fail to become JSON.
    attempt.bill.and_then(|bill| serde_json::to_string(&bill).ok())
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

fn ended_row(done: &Finished) -> EndedRow<'_> {
    let Finished { attempt, transition, .. } = done;
    EndedRow {
        id: hex(attempt.job_id.as_uuid()),
        lease: attempt.lease,
        attempt: attempt.attempt,
        worker_id: hex(attempt.worker_id.as_uuid()),
        plugin_digest: attempt.plugin_digest.as_deref(),
        started_at: attempt.started_at.as_micros(),
        error_kind: transition.error.as_ref().map(|error| error.kind.as_str()),
        error_message: transition.error.as_ref().map(|error| error.message.as_str()),
        bill: bill(attempt),
    }
}
