//! What removes what has had its time.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use windlass_model::{JobId, JobState, QueueName, Timestamp, WorkerId};

use super::SqlStore;
use super::submit::answers_since;
use crate::StoreError;
use crate::dialect::Dialect;
use crate::row::number;
use crate::seam::Janitor;
use crate::statement::{self, Statement};
use crate::value::{Value, hex};

#[async_trait]
impl<D: Dialect> Janitor for SqlStore<D> {
    async fn lead(
        &self,
        role: &str,
        worker: WorkerId,
        ttl: Duration,
        now: Option<Timestamp>,
    ) -> Result<Option<u64>, StoreError> {
        let mut write = self.write(now).await?;
        let values = vec![role.into(), worker.as_uuid().into(), write.now.into(), write.now.plus(ttl).into()];
        let terms: Vec<(i64,)> = write.rows(statement::leader_take, values).await?;
        write.commit().await?;
        terms.first().map(|(term,)| number("term", *term)).transpose()
    }

    async fn lead_resign(&self, worker: WorkerId, now: Option<Timestamp>) -> Result<(), StoreError> {
        let mut write = self.write(now).await?;
        let values = vec![worker.as_uuid().into(), write.now.into()];
        write.execute(statement::leader_resign, values).await?;
        write.commit().await
    }

    async fn job_prune(
        &self,
        queue: &QueueName,
        state: JobState,
        keep: Duration,
        limit: u32,
        now: Option<Timestamp>,
    ) -> Result<Vec<JobId>, StoreError> {
        let mut write = self.write(now).await?;
        let before = write.now.minus(keep).max(Timestamp::EPOCH);
        let values = vec![queue.as_str().into(), state.as_str().into(), before.into(), limit.into()];
        let pruned: Vec<(Uuid,)> = write.rows(statement::job_prune, values).await?;
        write.commit().await?;
        Ok(pruned.into_iter().map(|(id,)| JobId::from_uuid(id)).collect())
    }

    async fn job_unknown(&self, ids: &[JobId]) -> Result<Vec<JobId>, StoreError> {
        let asked: Vec<_> = ids.iter().map(|id| hex(id.as_uuid())).collect();
        let unknown: Vec<(Uuid,)> = self.read_rows(statement::job_unknown, vec![Value::json(&asked)]).await?;
        Ok(unknown.into_iter().map(|(id,)| JobId::from_uuid(id)).collect())
    }

    async fn queue_counts_fold(&self, limit: u32) -> Result<u32, StoreError> {
        let mut write = self.write(None).await?;
        let gone: Vec<(String,)> = write.rows(statement::queue_counts_fold, vec![limit.into()]).await?;
        write.commit().await?;
        Ok(u32::try_from(gone.len()).unwrap_or(u32::MAX))
    }

    async fn idempotency_prune(&self, limit: u32, now: Option<Timestamp>) -> Result<u32, StoreError> {
        self.forget(statement::idempotency_prune, answers_since, limit, now).await
    }

    async fn operation_prune(&self, keep: Duration, limit: u32, now: Option<Timestamp>) -> Result<u32, StoreError> {
        self.forget(statement::operation_prune, |now| now.minus(keep), limit, now).await
    }

    async fn worker_forget(&self, after: Duration, limit: u32, now: Option<Timestamp>) -> Result<u32, StoreError> {
        self.forget(statement::worker_forget, |now| now.minus(after), limit, now).await
    }
}

#[expect(private_bounds, reason = "which databases there are is decided in this crate")]
impl<D: Dialect> SqlStore<D> {
    async fn forget(
        &self,
        statement: Statement,
        before: impl FnOnce(Timestamp) -> Timestamp + Send,
        limit: u32,
        now: Option<Timestamp>,
    ) -> Result<u32, StoreError> {
        let mut write = self.write(now).await?;
        let before = before(write.now).max(Timestamp::EPOCH);
        let forgotten = write.execute(statement, vec![before.into(), limit.into()]).await?;
        write.commit().await?;
        Ok(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }
}
