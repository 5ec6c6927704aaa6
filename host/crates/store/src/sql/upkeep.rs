//! What sets the database right.

use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use uuid::Uuid;
use windlass_model::{Attempt, AttemptFacts, Bounds, Job, JobId, JobState, Timestamp, Transition, Worker, WorkerId};

use super::write::{NewEvent, Write};
use super::{SqlStore, clock};
use crate::dialect::Dialect;
use crate::row::WorkerRow;
use crate::seam::{Beat, FinishOutcome, Finished, Upkeep, WorkerSlot};
use crate::statement;
use crate::value::{Time, Value, hex};
use crate::{FailPoint, StoreError};

#[derive(Serialize)]
struct HeldRow {
    id: String,
    lease: u64,
}

#[async_trait]
impl<D: Dialect> Upkeep for SqlStore<D> {
    async fn job_promote(&self, limit: u32, now: Option<Timestamp>) -> Result<u32, StoreError> {
        let mut write = self.write(now).await?;
        let values = vec![limit.into(), write.now.into()];
        let promoted: Vec<(Uuid, i64)> = write.rows(statement::job_promote, values).await?;
        let event = |(id, attempt): &(Uuid, i64)| {
            NewEvent::state(JobId::from_uuid(*id), u32::try_from(*attempt).unwrap_or(0), JobState::Available, None)
        };
        let events: Vec<_> = promoted.iter().map(event).collect();
        write.append_events(&events).await?;
        write.commit().await?;
        Ok(u32::try_from(promoted.len()).unwrap_or(u32::MAX))
    }

    async fn job_expire(&self, limit: u32, now: Option<Timestamp>) -> Result<Vec<JobId>, StoreError> {
        let mut write = self.write(now).await?;
        let expired = write.expire(limit).await?;
        if !expired.is_empty() {
            write.commit().await?;
        }
        Ok(expired)
    }

    async fn dependency_settle(&self, limit: u32, now: Option<Timestamp>) -> Result<u32, StoreError> {
        let mut write = self.write(now).await?;
        let due: Vec<(Uuid,)> = write.rows(statement::dependencies_due_take, vec![limit.into()]).await?;
        if due.is_empty() {
            return Ok(0);
        }
        let count = u32::try_from(due.len()).unwrap_or(u32::MAX);
        write.settle(due.into_iter().map(|(id,)| JobId::from_uuid(id)).collect()).await?;
        write.commit().await?;
        Ok(count)
    }

    async fn job_next_due(&self, now: Option<Timestamp>) -> Result<Option<Duration>, StoreError> {
        let fault = || statement::job_next_due.fault();
        let mut connection = self.dialect.reader().await.map_err(fault())?;
        let due: Vec<(Option<Time>,)> =
            self.dialect.fetch(&mut connection, statement::job_next_due, Vec::new().into()).await.map_err(fault())?;
        let Some((Some(Time(due)),)) = due.first() else { return Ok(None) };
        let now = clock(&self.dialect, &mut connection, now).await?;
        Ok(Some(due.since(now)))
    }

    async fn job_rescue(&self, bounds: Bounds, limit: u32, now: Option<Timestamp>) -> Result<Vec<JobId>, StoreError> {
        let mut write = self.write(now).await?;
        let values = vec![limit.into(), write.now.into()];
        let orphans = write.jobs(statement::job_orphans, values).await?;
        if orphans.is_empty() {
            return Ok(Vec::new());
        }
        let lost: Vec<_> = orphans.into_iter().map(|job| lost(job, bounds)).collect();
        let outcomes = write.finish(&lost).await?;
        FailPoint::MidRescue.hit();
        write.commit().await?;
        Ok(recorded(&lost, outcomes))
    }

    async fn job_disclaim(
        &self,
        worker: WorkerId,
        held: &[(JobId, u64)],
        age: Duration,
        limit: u32,
        now: Option<Timestamp>,
    ) -> Result<Vec<JobId>, StoreError> {
        let mut write = self.write(now).await?;
        let held: Vec<_> = held.iter().map(|(id, lease)| HeldRow { id: hex(id.as_uuid()), lease: *lease }).collect();
        let values = vec![worker.as_uuid().into(), Value::json(&held), write.now.minus(age).into(), limit.into()];
        let unheld: Vec<(Uuid,)> = write.rows(statement::job_unheld, values).await?;
        if unheld.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<_> = unheld.into_iter().map(|(id,)| hex(id)).collect();
        let unheld = write.jobs(statement::job_get_many, vec![Value::json(&ids)]).await?;
        let lost = unheld.into_iter().map(|job| {
            let transition = Transition::after_lost_claim(AttemptFacts::of(&job));
            ended(job, transition)
        });
        let lost: Vec<_> = lost.collect();
        let outcomes = write.finish(&lost).await?;
        write.commit().await?;
        Ok(recorded(&lost, outcomes))
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
        let values = vec![worker.id.as_uuid().into()];
        let cancel: Vec<(Uuid, i64)> = write.rows(statement::worker_cancels, values).await?;
        write.commit().await?;
        let held = |(id, lease): (Uuid, i64)| (JobId::from_uuid(id), lease.unsigned_abs());
        Ok(Beat { cancel: cancel.into_iter().map(held).collect() })
    }

    async fn worker_expire_others(&self, worker: WorkerId, now: Option<Timestamp>) -> Result<u32, StoreError> {
        let mut write = self.write(now).await?;
        let values = vec![worker.as_uuid().into(), write.now.into()];
        let expired = write.execute(statement::worker_expire_others, values).await?;
        write.commit().await?;
        Ok(u32::try_from(expired).unwrap_or(u32::MAX))
    }

    async fn worker_remove(&self, worker: WorkerId) -> Result<(), StoreError> {
        let mut write = self.write(None).await?;
        write.execute(statement::worker_remove, vec![worker.as_uuid().into()]).await?;
        write.commit().await
    }

    async fn worker_list(&self) -> Result<Vec<Worker>, StoreError> {
        self.read::<WorkerRow, Worker>(statement::worker_list, Vec::new()).await
    }
}

async fn worker_save<D: Dialect>(write: &mut Write<D>, worker: &WorkerSlot, ttl: Duration) -> Result<(), StoreError> {
    let values = vec![
        worker.id.as_uuid().into(),
        worker.host.as_str().into(),
        worker.pid.into(),
        worker.version.as_str().into(),
        write.now.into(),
        write.now.plus(ttl).into(),
    ];
    write.execute(statement::worker_save, values).await.map(drop)
}

fn lost(job: Job, bounds: Bounds) -> Finished {
    let transition = Transition::after_lost_worker(AttemptFacts::of(&job), bounds);
    ended(job, transition)
}

fn recorded(finished: &[Finished], outcomes: Vec<FinishOutcome>) -> Vec<JobId> {
    let recorded = finished.iter().zip(outcomes).filter(|(_, outcome)| matches!(outcome, FinishOutcome::Recorded));
    recorded.map(|(finished, _)| finished.attempt.job_id).collect()
}

/// The end of an attempt of which nobody told anything.
fn ended(job: Job, transition: Transition) -> Finished {
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
            bill: None,
        },
        transition,
        progress: job.progress,
        steps: Vec::new(),
        logs: Vec::new(),
        artifacts: Vec::new(),
    }
}
