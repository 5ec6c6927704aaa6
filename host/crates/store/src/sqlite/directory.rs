//! Reading, on connections that cannot write.

use async_trait::async_trait;
use sqlx::SqliteConnection;
use sqlx::pool::PoolConnection;
use windlass_model::{Artifact, Attempt, Job, JobEvent, JobFilter, JobId, JobState, LogLine, PageSize, Timestamp};

use super::SqliteStore;
use super::statement::{self, Statement};
use super::transaction::as_json;
use crate::StoreError;
use crate::row::{ArtifactRow, AttemptRow, EventRow, JobRow, LogRow};
use crate::seam::{JobDirectory, JobPage};

impl SqliteStore {
    async fn reader(&self, statement: Statement) -> Result<PoolConnection<sqlx::Sqlite>, StoreError> {
        self.readers.acquire().await.map_err(statement.fault())
    }
}

#[async_trait]
impl JobDirectory for SqliteStore {
    async fn job_get(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        let query = statement::job_get.query().bind(id.as_uuid());
        let connection: &mut SqliteConnection = &mut *self.reader(statement::job_get).await?;
        Ok(statement::job_get.rows::<JobRow, Job>(query, connection).await?.pop())
    }

    async fn job_list(&self, filter: &JobFilter, size: PageSize) -> Result<JobPage, StoreError> {
        let rows = usize::from(size.get());
        let states: Vec<_> = filter.states.iter().copied().map(JobState::as_str).collect();
        let query = statement::job_list
            .query()
            .bind((!states.is_empty()).then(|| as_json(&states)))
            .bind(filter.task.as_ref().map(ToString::to_string))
            .bind(filter.queue.as_ref().map(ToString::to_string))
            .bind(filter.tag.clone())
            .bind(filter.created_from.map(Timestamp::as_micros))
            .bind(filter.created_before.map(Timestamp::as_micros))
            .bind(filter.after.map(JobId::as_uuid))
            // One more than the page has tells whether there is another.
            .bind(i64::from(size.get()) + 1);
        let connection: &mut SqliteConnection = &mut *self.reader(statement::job_list).await?;
        let mut jobs = statement::job_list.rows::<JobRow, Job>(query, connection).await?;
        let is_last = jobs.len() <= rows;
        jobs.truncate(rows);
        let next = if is_last { None } else { jobs.last().map(|job| job.id) };
        Ok(JobPage { jobs, next })
    }

    async fn event_list(&self, id: JobId, after: u64, limit: u32) -> Result<Vec<JobEvent>, StoreError> {
        let query = statement::event_list.query().bind(id.as_uuid()).bind(as_seq(after)).bind(limit);
        let connection: &mut SqliteConnection = &mut *self.reader(statement::event_list).await?;
        statement::event_list.rows::<EventRow, JobEvent>(query, connection).await
    }

    async fn log_list(&self, id: JobId, after: u64, limit: u32) -> Result<Vec<LogLine>, StoreError> {
        let query = statement::log_list.query().bind(id.as_uuid()).bind(as_seq(after)).bind(limit);
        let connection: &mut SqliteConnection = &mut *self.reader(statement::log_list).await?;
        statement::log_list.rows::<LogRow, LogLine>(query, connection).await
    }

    async fn attempt_list(&self, id: JobId) -> Result<Vec<Attempt>, StoreError> {
        let query = statement::attempt_list.query().bind(id.as_uuid());
        let connection: &mut SqliteConnection = &mut *self.reader(statement::attempt_list).await?;
        statement::attempt_list.rows::<AttemptRow, Attempt>(query, connection).await
    }

    async fn artifact_list(&self, id: JobId) -> Result<Vec<Artifact>, StoreError> {
        let query = statement::artifact_list.query().bind(id.as_uuid());
        let connection: &mut SqliteConnection = &mut *self.reader(statement::artifact_list).await?;
        statement::artifact_list.rows::<ArtifactRow, Artifact>(query, connection).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let connection: &mut SqliteConnection = &mut *self.reader(statement::ping).await?;
        statement::ping.query().fetch_optional(connection).await.map(drop).map_err(statement::ping.fault())
    }
}

/// SQL has no unsigned numbers. Nothing comes after a place that does not fit.
fn as_seq(after: u64) -> i64 {
    i64::try_from(after).unwrap_or(i64::MAX)
}
