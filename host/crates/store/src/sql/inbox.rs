//! Enqueue, cancel, retry.

use async_trait::async_trait;
use serde::Serialize;
use windlass_model::{Job, JobId, JobState, NewJob, RunAt, Timestamp};

use super::SqlStore;
use super::write::NewEvent;
use crate::dialect::Dialect;
use crate::seam::{CancelOutcome, JobInbox, RetryOutcome};
use crate::statement;
use crate::value::{Value, as_json, hex};
use crate::{FailPoint, StoreError};

#[derive(Serialize)]
struct NewJobRow<'a> {
    id: String,
    task: &'a str,
    queue: &'a str,
    priority: i16,
    args: &'a str,
    max_attempts: u32,
    timeout_ms: Option<i64>,
    backoff: String,
    tags: String,
    metadata: &'a str,
    run_at: i64,
}

#[async_trait]
impl<D: Dialect> JobInbox for SqlStore<D> {
    async fn job_insert(&self, jobs: &[NewJob], now: Option<Timestamp>) -> Result<Vec<Job>, StoreError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let mut write = self.write(now).await?;
        let rows: Vec<_> = jobs.iter().map(|job| new_row(job, write.now)).collect();
        let values = vec![Value::json(&rows), write.now.into()];
        let mut added = write.jobs(statement::job_insert, values).await?;
        let events: Vec<_> = added.iter().map(|job| NewEvent::state(job.id, 0, job.state, None)).collect();
        write.append_events(&events).await?;
        FailPoint::MidEnqueue.hit();
        write.commit().await?;
        FailPoint::LostEnqueue.pass()?;
        // No database promises an order of what RETURNING returns.
        let place: std::collections::HashMap<_, _> =
            jobs.iter().enumerate().map(|(place, job)| (job.id, place)).collect();
        added.sort_by_key(|job| place.get(&job.id).copied());
        Ok(added)
    }

    async fn job_cancel(&self, id: JobId, now: Option<Timestamp>) -> Result<CancelOutcome, StoreError> {
        let mut write = self.write(now).await?;
        let is_cancelled = write.cancel(id).await?;
        let values = vec![id.as_uuid().into(), write.now.into()];
        let is_requested = write.execute(statement::job_cancel_request, values).await? > 0;
        let Some(job) = write.job(id).await? else { return Ok(CancelOutcome::NotFound) };
        write.commit().await?;
        Ok(match (is_cancelled, is_requested) {
            (true, _) => CancelOutcome::Cancelled(Box::new(job)),
            (_, true) => CancelOutcome::Requested(Box::new(job)),
            _ => CancelOutcome::AlreadyOver(job.state),
        })
    }

    async fn job_retry(&self, id: JobId, now: Option<Timestamp>) -> Result<RetryOutcome, StoreError> {
        let mut write = self.write(now).await?;
        let retried = write.execute(statement::job_retry, vec![id.as_uuid().into(), write.now.into()]).await?;
        let Some(job) = write.job(id).await? else { return Ok(RetryOutcome::NotFound) };
        if retried == 0 {
            return Ok(RetryOutcome::Running);
        }
        let reason = Some("retried by hand".to_owned());
        write.append_events(&[NewEvent::state(id, job.attempt, JobState::Available, reason)]).await?;
        write.commit().await?;
        Ok(RetryOutcome::Retried(Box::new(job)))
    }
}

fn new_row(job: &NewJob, now: Timestamp) -> NewJobRow<'_> {
    NewJobRow {
        id: hex(job.id.as_uuid()),
        task: job.task.as_str(),
        queue: job.queue.as_str(),
        priority: job.priority.into(),
        args: job.args.as_str(),
        max_attempts: job.max_attempts,
        // SQL has no unsigned numbers: what does not fit is as good as no limit.
        timeout_ms: job.timeout.map(|span| i64::try_from(span.as_millis()).unwrap_or(i64::MAX)),
        backoff: as_json(&job.backoff),
        tags: as_json(&job.tags),
        metadata: job.metadata.as_str(),
        run_at: match job.run_at {
            None => now,
            Some(RunAt::Time(time)) => time,
            Some(RunAt::After(span)) => now.plus(span),
        }
        .as_micros(),
    }
}
