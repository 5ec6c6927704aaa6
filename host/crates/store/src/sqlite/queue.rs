//! Claim, report, finish.

use async_trait::async_trait;
use windlass_model::{Job, JobId, JobState, TaskName, Timestamp, WorkerId};

use super::SqliteStore;
use super::statement;
use super::transaction::{NewEvent, Write, as_json};
use crate::StoreError;
use crate::row::JobRow;
use crate::seam::{FinishOutcome, Finished, JobQueue, StepReport};

#[async_trait]
impl JobQueue for SqliteStore {
    async fn job_claim(
        &self,
        worker: WorkerId,
        tasks: &[TaskName],
        limit: u32,
        now: Option<Timestamp>,
    ) -> Result<Vec<Job>, StoreError> {
        if limit == 0 || tasks.is_empty() {
            return Ok(Vec::new());
        }
        let mut write = self.write(now).await?;
        let query =
            statement::job_claim.query().bind(worker.as_uuid()).bind(as_json(tasks)).bind(limit).bind(write.now);
        let mut claimed: Vec<Job> = statement::job_claim.rows::<JobRow, Job>(query, &mut write.tx).await?;
        let events: Vec<_> =
            claimed.iter().map(|job| NewEvent::state(job.id, job.attempt, JobState::Running, None)).collect();
        write.append_events(&events).await?;
        write.commit().await?;
        // SQLite promises no order of what RETURNING returns.
        claimed.sort_by_key(|job| (job.priority, job.run_at, job.id));
        Ok(claimed)
    }

    async fn job_finish(
        &self,
        finished: &[Finished],
        now: Option<Timestamp>,
    ) -> Result<Vec<FinishOutcome>, StoreError> {
        if finished.is_empty() {
            return Ok(Vec::new());
        }
        let mut write = self.write(now).await?;
        let outcomes = write.finish(finished).await?;
        write.commit().await?;
        Ok(outcomes)
    }

    async fn job_report(&self, report: &StepReport, now: Option<Timestamp>) -> Result<bool, StoreError> {
        let mut write = self.write(now).await?;
        if !is_held(&mut write, report.id, report.lease).await? {
            return Ok(false);
        }
        if !report.progress.is_empty() {
            let progress = &report.progress;
            let query = statement::progress_save
                .query()
                .bind(report.id.as_uuid())
                .bind(as_lease(report.lease))
                .bind(progress.percent_complete)
                .bind(progress.task_step)
                .bind(progress.status_info.clone());
            write.execute(statement::progress_save, query).await?;
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
        if !is_held(&mut write, id, lease).await? {
            return Ok(false);
        }
        let query = statement::checkpoint_save.query().bind(id.as_uuid()).bind(as_lease(lease)).bind(data.to_vec());
        write.execute(statement::checkpoint_save, query).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn checkpoint_load(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        sqlx::query_scalar(statement::checkpoint_load.sql)
            .bind(id.as_uuid())
            .fetch_optional(&self.readers)
            .await
            .map_err(statement::checkpoint_load.fault())
    }
}

async fn is_held(write: &mut Write, id: JobId, lease: u64) -> Result<bool, StoreError> {
    let held: Option<i64> = sqlx::query_scalar(statement::job_hold.sql)
        .bind(id.as_uuid())
        .bind(as_lease(lease))
        .fetch_optional(&mut *write.tx)
        .await
        .map_err(statement::job_hold.fault())?;
    Ok(held.is_some())
}

/// SQL has no unsigned numbers. A lease that does not fit was never given out, and -1 is one that no job has.
fn as_lease(lease: u64) -> i64 {
    i64::try_from(lease).unwrap_or(-1)
}
