//! What jobs keep for one another.

use async_trait::async_trait;
use windlass_model::{JobId, KeyValueAnswer, KeyValueCall, TaskName};

use crate::StoreError;

/// The key-value stores of tasks. Each task has its own: no call reaches another's.
#[async_trait]
pub trait KeyValues: Send + Sync {
    /// Does one call for a job of the task. A call that changes something does so only if the job runs under exactly this lease,
    /// and as a whole or not at all; it waits for others that change the same store. One that only looks is not fenced.
    ///
    /// A store comes to be with the first call that changes it. May be repeated, except for an increment.
    async fn key_value(
        &self,
        job: JobId,
        lease: u64,
        task: &TaskName,
        call: &KeyValueCall,
    ) -> Result<KeyValueAnswer, StoreError>;
}
