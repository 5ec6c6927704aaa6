//! What removes what has had its time.

use std::time::Duration;

use async_trait::async_trait;
use windlass_model::{JobId, JobState, QueueName, Timestamp, WorkerId};

use crate::StoreError;

/// Leading, and what whoever leads removes and adds up. Each call does a bounded amount of work and may be repeated at any time
/// by any worker; that only one leads spares the others the work, and nothing depends on it.
#[async_trait]
pub trait Janitor: Send + Sync {
    /// Leads in a role for `ttl` from now, or goes on to, and returns the term; `None` if another worker's lease still lasts.
    /// The term goes up by one with each change of hands and at no other time.
    async fn lead(
        &self,
        role: &str,
        worker: WorkerId,
        ttl: Duration,
        now: Option<Timestamp>,
    ) -> Result<Option<u64>, StoreError>;

    /// Ends all leases of a worker to lead, so that others need not wait for them to run out.
    async fn lead_resign(&self, worker: WorkerId, now: Option<Timestamp>) -> Result<(), StoreError>;

    /// Removes at most `limit` jobs of a queue that have been in a final state for as long as `keep` or longer, those that ended
    /// first first, and returns their ids. Their histories, logs, attempts and the records of their artifacts go with them; the
    /// files of their artifacts do not. A job whose dependents are still to be seen to stays.
    async fn job_prune(
        &self,
        queue: &QueueName,
        state: JobState,
        keep: Duration,
        limit: u32,
        now: Option<Timestamp>,
    ) -> Result<Vec<JobId>, StoreError>;

    /// Which of these jobs are not there, in any order.
    async fn job_unknown(&self, ids: &[JobId]) -> Result<Vec<JobId>, StoreError>;

    /// Adds up what was noted of the numbers of jobs, at most `limit` notes, and returns how many fewer there are now. The counts
    /// that are shown stay as they are.
    async fn queue_counts_fold(&self, limit: u32) -> Result<u32, StoreError>;

    /// Forgets at most `limit` answers to requests with an idempotency key that are a day old, and returns how many.
    async fn idempotency_prune(&self, limit: u32, now: Option<Timestamp>) -> Result<u32, StoreError>;

    /// Forgets at most `limit` operations that have been over for as long as `keep` or longer, and returns how many.
    async fn operation_prune(&self, keep: Duration, limit: u32, now: Option<Timestamp>) -> Result<u32, StoreError>;

    /// Forgets at most `limit` workers whose lease ran out longer than `after` ago and that hold no job, and returns how many.
    async fn worker_forget(&self, after: Duration, limit: u32, now: Option<Timestamp>) -> Result<u32, StoreError>;
}
