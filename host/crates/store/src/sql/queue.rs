//! Claim, report, finish.

use async_trait::async_trait;
use windlass_model::{JobId, Timestamp, WorkerId};

use super::SqlStore;
use super::turns::{Call, Claim};
use super::write::NewEvent;
use crate::dialect::Dialect;
use crate::seam::{Claimed, FinishOutcome, Finished, JobQueue, Offer, StepReport, TaskRoom};
use crate::statement;
use crate::value::Value;
use crate::{FailPoint, StoreError};

#[async_trait]
impl<D: Dialect> JobQueue for SqlStore<D> {
    async fn job_claim_within(
        &self,
        worker: WorkerId,
        tasks: &[TaskRoom],
        limit: u32,
        now: Option<Timestamp>,
    ) -> Result<Claimed, StoreError> {
        if limit == 0 || tasks.is_empty() {
            return Ok(Claimed::default());
        }
        let claim = Claim { worker, tasks: tasks.to_vec(), limit };
        match now {
            None if D::HAS_ONE_WRITER => self.in_turn(|answer| Call::Claim(claim, answer)).await,
            now => self.claim_once(&claim, now).await,
        }
    }

    fn job_offer(&self, worker: WorkerId, tasks: &[TaskRoom], limit: u32, if_backlog: bool) -> Offer {
        match D::HAS_ONE_WRITER {
            true => self.turns.offer(Claim { worker, tasks: tasks.to_vec(), limit }, if_backlog),
            false => Offer::Unknown,
        }
    }

    fn job_withdraw(&self) -> bool {
        self.turns.withdraw()
    }

    async fn job_finish(
        &self,
        finished: &[Finished],
        now: Option<Timestamp>,
    ) -> Result<Vec<FinishOutcome>, StoreError> {
        if finished.is_empty() {
            return Ok(Vec::new());
        }
        match now {
            None if D::HAS_ONE_WRITER => self.in_turn(|answer| Call::Finish(finished.to_vec(), answer)).await,
            now => self.finish_once(finished, now).await,
        }
    }

    async fn job_report(&self, report: &StepReport, now: Option<Timestamp>) -> Result<bool, StoreError> {
        let mut write = self.write(now).await?;
        if !write.is_held(report.id, report.lease).await? {
            return Ok(false);
        }
        if !report.progress.is_empty() {
            let progress = &report.progress;
            let values = vec![
                report.id.as_uuid().into(),
                Value::lease(report.lease),
                Value::Int(progress.percent_complete.map(i64::from)),
                Value::Int(progress.task_step.map(i64::from)),
                progress.status_info.clone().into(),
            ];
            write.execute(statement::progress_save, values).await?;
        }
        let step = |(at, step): &(Timestamp, _)| NewEvent::step(report.id, report.attempt, *at, step);
        let events: Vec<_> = report.steps.iter().map(step).collect();
        write.append_events(&events).await?;
        write.append_logs(report.id, &report.logs).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn checkpoint_save(&self, id: JobId, lease: u64, data: &[u8]) -> Result<bool, StoreError> {
        let mut write = self.write(None).await?;
        if !write.is_held(id, lease).await? {
            return Ok(false);
        }
        let values = vec![id.as_uuid().into(), Value::lease(lease), Value::Bytes(data.to_vec())];
        write.execute(statement::checkpoint_save, values).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn checkpoint_load(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        let rows: Vec<(Vec<u8>,)> = self.read_rows(statement::checkpoint_load, vec![id.as_uuid().into()]).await?;
        Ok(rows.into_iter().next().map(|(data,)| data))
    }
}

#[expect(private_bounds, reason = "which databases there are is decided in this crate")]
impl<D: Dialect> SqlStore<D> {
    pub(super) async fn claim_once(&self, claim: &Claim, now: Option<Timestamp>) -> Result<Claimed, StoreError> {
        let mut write = self.write(now).await?;
        let claimed = write.claim(claim.worker, &claim.tasks, claim.limit).await?;
        FailPoint::MidClaim.hit();
        write.commit().await?;
        if !claimed.jobs.is_empty() {
            FailPoint::LostClaim.pass()?;
        }
        Ok(claimed)
    }

    pub(super) async fn finish_once(
        &self,
        finished: &[Finished],
        now: Option<Timestamp>,
    ) -> Result<Vec<FinishOutcome>, StoreError> {
        let mut write = self.write(now).await?;
        let outcomes = write.finish(finished).await?;
        FailPoint::MidFinish.hit();
        write.commit().await?;
        FailPoint::LostFinish.pass()?;
        Ok(outcomes)
    }
}
