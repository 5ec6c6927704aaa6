//! Reading.

use async_trait::async_trait;
use windlass_model::{Artifact, Attempt, Job, JobEvent, JobFilter, JobId, JobState, LogLine, PageSize};

use super::SqlStore;
use crate::StoreError;
use crate::dialect::Dialect;
use crate::row::{ArtifactRow, AttemptRow, EventRow, JobRow, LogRow};
use crate::seam::{JobDirectory, JobPage};
use crate::statement;
use crate::value::Value;

#[async_trait]
impl<D: Dialect> JobDirectory for SqlStore<D> {
    async fn job_get(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.read::<JobRow, Job>(statement::job_get, vec![id.as_uuid().into()]).await?.pop())
    }

    async fn job_list(&self, filter: &JobFilter, size: PageSize) -> Result<JobPage, StoreError> {
        let rows = usize::from(size.get());
        // One more than the page has tells whether there is another.
        let values = list_values(filter, u32::from(size.get()) + 1);
        let mut jobs = self.read::<JobRow, Job>(statement::job_list, values).await?;
        let is_last = jobs.len() <= rows;
        jobs.truncate(rows);
        let next = if is_last { None } else { jobs.last().map(|job| job.id) };
        Ok(JobPage { jobs, next })
    }

    async fn event_list(&self, id: JobId, after: u64, limit: u32) -> Result<Vec<JobEvent>, StoreError> {
        let values = vec![id.as_uuid().into(), Value::count(after), limit.into()];
        self.read::<EventRow, JobEvent>(statement::event_list, values).await
    }

    async fn log_list(&self, id: JobId, after: u64, limit: u32) -> Result<Vec<LogLine>, StoreError> {
        let values = vec![id.as_uuid().into(), Value::count(after), limit.into()];
        self.read::<LogRow, LogLine>(statement::log_list, values).await
    }

    async fn attempt_list(&self, id: JobId) -> Result<Vec<Attempt>, StoreError> {
        self.read::<AttemptRow, Attempt>(statement::attempt_list, vec![id.as_uuid().into()]).await
    }

    async fn artifact_list(&self, id: JobId) -> Result<Vec<Artifact>, StoreError> {
        self.read::<ArtifactRow, Artifact>(statement::artifact_list, vec![id.as_uuid().into()]).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.read_rows::<(i64,)>(statement::ping, Vec::new()).await.map(drop)
    }
}

/// What `job_list` takes.
pub(super) fn list_values(filter: &JobFilter, rows: u32) -> Vec<Value> {
    let states: Vec<_> = filter.states.iter().copied().map(JobState::as_str).collect();
    vec![
        if states.is_empty() { Value::Text(None) } else { Value::json(&states) },
        filter.task.as_ref().map(ToString::to_string).into(),
        filter.queue.as_ref().map(ToString::to_string).into(),
        filter.tag.clone().into(),
        filter.created_from.into(),
        filter.created_before.into(),
        Value::Id(filter.after.map(JobId::as_uuid)),
        rows.into(),
    ]
}
