//! What people see of queues, and what they set about them.

use async_trait::async_trait;
use windlass_model::{JobCounts, QueueChange, QueueInfo, QueueName, Timestamp};

use crate::StoreError;

/// Queues: list, look, change. A queue is there from its first job or its first change on, and stays.
///
/// Counts are kept, never counted: no call here becomes slower with the number of jobs.
#[async_trait]
pub trait QueueBoard: Send + Sync {
    /// All queues by name, each with how many jobs it has in each state and the `run_at` of the available job that has waited
    /// longest.
    async fn queue_list(&self) -> Result<Vec<QueueInfo>, StoreError>;

    /// One queue; `None` if it is not there.
    async fn queue_get(&self, name: &QueueName) -> Result<Option<QueueInfo>, StoreError>;

    /// Changes a queue's settings and returns what it is then; one that is not there is made, so that limits may be set before
    /// the first job. What the change does not name stays. May be repeated.
    ///
    /// Nothing is claimed from a paused queue, its running jobs go on, and it stays paused until somebody resumes it. A queue
    /// that is paused already keeps the time since when it is.
    async fn queue_change(
        &self,
        name: &QueueName,
        change: &QueueChange,
        now: Option<Timestamp>,
    ) -> Result<QueueInfo, StoreError>;

    /// How many jobs there are in each state, over all queues.
    async fn job_counts(&self) -> Result<JobCounts, StoreError>;
}
