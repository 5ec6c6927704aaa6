//! What the API and the command line read.

use async_trait::async_trait;
use windlass_model::{Artifact, Attempt, Job, JobEvent, JobFilter, JobId, LogLine, PageSize};

use crate::StoreError;

/// Reading. Nothing here changes anything or waits for a writer.
///
/// For a job that is not there the lists are empty.
#[async_trait]
pub trait JobDirectory: Send + Sync {
    /// One job with its newest progress.
    async fn job_get(&self, id: JobId) -> Result<Option<Job>, StoreError>;

    /// The jobs that match, the newest first, at most a page of them.
    async fn job_list(&self, filter: &JobFilter, size: PageSize) -> Result<JobPage, StoreError>;

    /// A job's history after the entry `after` (0: from the start), in order, at most `limit` entries.
    async fn event_list(&self, id: JobId, after: u64, limit: u32) -> Result<Vec<JobEvent>, StoreError>;

    /// A job's log after the line `after` (0: from the start), in order, at most `limit` lines.
    async fn log_list(&self, id: JobId, after: u64, limit: u32) -> Result<Vec<LogLine>, StoreError>;

    /// A job's attempts in order, the running one last and without an end.
    async fn attempt_list(&self, id: JobId) -> Result<Vec<Attempt>, StoreError>;

    /// A completed job's artifacts, by name.
    async fn artifact_list(&self, id: JobId) -> Result<Vec<Artifact>, StoreError>;

    /// Whether the database answers.
    async fn ping(&self) -> Result<(), StoreError>;
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct JobPage {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// Where the next page starts, if there are more: for [`JobFilter::after`].
    pub next: Option<JobId>,
}
