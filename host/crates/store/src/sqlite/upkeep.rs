//! What sets the database right.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::SqliteConnection;
use uuid::Uuid;
use windlass_model::{Attempt, AttemptFacts, Bounds, Job, JobId, JobState, Timestamp, Transition, Worker, WorkerId};

use super::SqliteStore;
use super::statement;
use super::transaction::{NewEvent, Write};
use crate::StoreError;
use crate::row::{JobRow, WorkerRow};
use crate::seam::{Beat, FinishOutcome, Finished, Upkeep, WorkerSlot};

#[async_trait]
impl Upkeep for SqliteStore {
    async fn job_promote(&self, limit: u32, now: Option<Timestamp>) -> Result<u32, StoreError> {
        let mut write = self.write(now).await?;
        let promoted: Vec<(Uuid, u32)> = sqlx::query_as(statement::job_promote.sql)
            .bind(limit)
            .bind(write.now)
            .fetch_all(&mut *write.tx)
            .await
            .map_err(statement::job_promote.fault())?;
        let event =
            |(id, attempt): &(Uuid, u32)| NewEvent::state(JobId::from_uuid(*id), *attempt, JobState::Available, None);
        let events: Vec<_> = promoted.iter().map(event).collect();
        write.append_events(&events).await?;
        write.commit().await?;
        Ok(u32::try_from(promoted.len()).unwrap_or(u32::MAX))
    }

    async fn job_next_due(&self, now: Option<Timestamp>) -> Result<Option<Duration>, StoreError> {
        let due: Option<i64> = sqlx::query_scalar(statement::job_next_due.sql)
            .fetch_one(&self.readers)
            .await
            .map_err(statement::job_next_due.fault())?;
        let now: i64 = sqlx::query_scalar(statement::clock.sql)
            .bind(now.map(Timestamp::as_micros))
            .fetch_one(&self.readers)
            .await
            .map_err(statement::clock.fault())?;
        Ok(due.map(|due| Timestamp::from_micros(due).since(Timestamp::from_micros(now))))
    }

    async fn job_rescue(&self, bounds: Bounds, limit: u32, now: Option<Timestamp>) -> Result<Vec<JobId>, StoreError> {
        let mut write = self.write(now).await?;
        let query = statement::job_orphans.query().bind(limit).bind(write.now);
        let orphans = statement::job_orphans.rows::<JobRow, Job>(query, &mut write.tx).await?;
        if orphans.is_empty() {
            return Ok(Vec::new());
        }
        let lost: Vec<_> = orphans.into_iter().map(|job| lost(job, bounds)).collect();
        let outcomes = write.finish(&lost).await?;
        write.commit().await?;
        let rescued = lost.iter().zip(outcomes).filter(|(_, outcome)| matches!(outcome, FinishOutcome::Recorded));
        Ok(rescued.map(|(lost, _)| lost.attempt.job_id).collect())
    }

    async fn worker_register(
        &self,
        worker: &WorkerSlot,
        ttl: Duration,
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let mut write = self.write(now).await?;
        worker_save(&mut write, worker, ttl).await?;
        write.commit().await
    }

    async fn worker_beat(
        &self,
        worker: &WorkerSlot,
        ttl: Duration,
        now: Option<Timestamp>,
    ) -> Result<Beat, StoreError> {
        let mut write = self.write(now).await?;
        worker_save(&mut write, worker, ttl).await?;
        let cancel: Vec<(Uuid, i64)> = sqlx::query_as(statement::worker_cancels.sql)
            .bind(worker.id.as_uuid())
            .fetch_all(&mut *write.tx)
            .await
            .map_err(statement::worker_cancels.fault())?;
        write.commit().await?;
        let held = |(id, lease): (Uuid, i64)| (JobId::from_uuid(id), lease.unsigned_abs());
        Ok(Beat { cancel: cancel.into_iter().map(held).collect() })
    }

    async fn worker_expire_others(&self, worker: WorkerId, now: Option<Timestamp>) -> Result<u32, StoreError> {
        let mut write = self.write(now).await?;
        let query = statement::worker_expire_others.query().bind(worker.as_uuid()).bind(write.now);
        let expired = write.execute(statement::worker_expire_others, query).await?;
        write.commit().await?;
        Ok(u32::try_from(expired).unwrap_or(u32::MAX))
    }

    async fn worker_remove(&self, worker: WorkerId) -> Result<(), StoreError> {
        let mut write = self.write(None).await?;
        let query = statement::worker_remove.query().bind(worker.as_uuid());
        write.execute(statement::worker_remove, query).await?;
        write.commit().await
    }

    async fn worker_list(&self) -> Result<Vec<Worker>, StoreError> {
        let mut connection = self.readers.acquire().await.map_err(statement::worker_list.fault())?;
        let connection: &mut SqliteConnection = &mut connection;
        statement::worker_list.rows::<WorkerRow, Worker>(statement::worker_list.query(), connection).await
    }
}

async fn worker_save(write: &mut Write, worker: &WorkerSlot, ttl: Duration) -> Result<(), StoreError> {
    let query = statement::worker_save
        .query()
        .bind(worker.id.as_uuid())
        .bind(worker.host.clone())
        .bind(worker.pid)
        .bind(worker.version.clone())
        .bind(write.now)
        .bind(Timestamp::from_micros(write.now).plus(ttl).as_micros());
    write.execute(statement::worker_save, query).await.map(drop)
}

fn lost(job: Job, bounds: Bounds) -> Finished {
    let transition = Transition::after_lost_worker(AttemptFacts::of(&job), bounds);
    Finished {
        attempt: Attempt {
            job_id: job.id,
            lease: job.lease,
            attempt: job.attempt,
            // A running job has a worker and a start, by the schema's CHECK and the claim; the other values cannot be.
            worker_id: job.worker_id.unwrap_or(WorkerId::from_uuid(Uuid::nil())),
            plugin_digest: None,
            started_at: job.started_at.unwrap_or(job.created_at),
            ended_at: None,
            error: None,
        },
        transition,
        progress: job.progress,
        steps: Vec::new(),
        logs: Vec::new(),
        artifacts: Vec::new(),
    }
}
