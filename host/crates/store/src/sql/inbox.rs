//! Enqueue, cancel, retry.

use async_trait::async_trait;
use uuid::Uuid;
use windlass_model::{JobId, JobState, Submission, Timestamp};

use super::turns::Call;
use super::write::{NewEvent, Unwanted};
use super::{Races, SqlStore};
use crate::dialect::Dialect;
use crate::seam::{CancelOutcome, JobInbox, RetryOutcome, Submitted};
use crate::statement;
use crate::{FailPoint, StoreError};

#[async_trait]
impl<D: Dialect> JobInbox for SqlStore<D> {
    async fn job_submit(
        &self,
        submissions: &[Submission],
        now: Option<Timestamp>,
    ) -> Result<Vec<Submitted>, StoreError> {
        match now {
            None if D::HAS_ONE_WRITER => self.in_turn(|answer| Call::Submit(submissions.to_vec(), answer)).await,
            now => self.submit_again(submissions, now).await,
        }
    }

    async fn job_cancel(&self, id: JobId, now: Option<Timestamp>) -> Result<CancelOutcome, StoreError> {
        let mut write = self.write(now).await?;
        let is_cancelled = !write.cancel(&[Unwanted::by_hand(id)]).await?.is_empty();
        let is_requested = write.request_cancel(id).await?;
        let Some(job) = write.job(id).await? else { return Ok(CancelOutcome::NotFound) };
        write.commit().await?;
        Ok(match (is_cancelled, is_requested) {
            (true, _) => CancelOutcome::Cancelled(Box::new(job)),
            (_, true) => CancelOutcome::Requested(Box::new(job)),
            _ => CancelOutcome::AlreadyOver(job.state),
        })
    }

    async fn job_retry(&self, id: JobId, now: Option<Timestamp>) -> Result<RetryOutcome, StoreError> {
        let mut races = Races::default();
        loop {
            let answer = self.retry_once(id, now).await;
            if !races.lost(&answer) {
                return answer;
            }
        }
    }
}

#[expect(private_bounds, reason = "which databases there are is decided in this crate")]
impl<D: Dialect> SqlStore<D> {
    /// In a transaction of its own, begun again when somebody else was first.
    pub(super) async fn submit_again(
        &self,
        submissions: &[Submission],
        now: Option<Timestamp>,
    ) -> Result<Vec<Submitted>, StoreError> {
        let mut races = Races::default();
        loop {
            let answer = self.submit_once(submissions, now).await;
            if !races.lost(&answer) {
                return answer;
            }
        }
    }

    async fn submit_once(
        &self,
        submissions: &[Submission],
        now: Option<Timestamp>,
    ) -> Result<Vec<Submitted>, StoreError> {
        let mut write = self.write(now).await?;
        let answers = write.submit(submissions).await?;
        FailPoint::MidEnqueue.hit();
        write.commit().await?;
        FailPoint::LostEnqueue.pass()?;
        Ok(answers)
    }

    async fn retry_once(&self, id: JobId, now: Option<Timestamp>) -> Result<RetryOutcome, StoreError> {
        let mut write = self.write(now).await?;
        let outcome = write.retry(id).await?;
        if matches!(outcome, RetryOutcome::Retried(_)) {
            write.commit().await?;
        }
        Ok(outcome)
    }
}

impl<D: Dialect> super::write::Write<D> {
    /// See `JobInbox::job_retry`.
    pub(super) async fn retry(&mut self, id: JobId) -> Result<RetryOutcome, StoreError> {
        let rival: Vec<(Uuid,)> = self.rows(statement::unique_rival, vec![id.as_uuid().into()]).await?;
        if let Some((rival,)) = rival.first() {
            return Ok(RetryOutcome::Duplicate(JobId::from_uuid(*rival)));
        }
        let retried = self.execute(statement::job_retry, vec![id.as_uuid().into(), self.now.into()]).await?;
        self.execute(statement::dependency_waive, vec![id.as_uuid().into()]).await?;
        let Some(job) = self.job(id).await? else { return Ok(RetryOutcome::NotFound) };
        if retried == 0 {
            return Ok(RetryOutcome::Running);
        }
        let reason = Some("retried by hand".to_owned());
        self.append_events(&[NewEvent::state(id, job.attempt, JobState::Available, reason)]).await?;
        Ok(RetryOutcome::Retried(Box::new(job)))
    }
}
