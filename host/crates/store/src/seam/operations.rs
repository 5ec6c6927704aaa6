//! Cancels and retries of many jobs.

use async_trait::async_trait;
use windlass_model::{JobFilter, JobId, Operation, OperationId, OperationKind, Timestamp};

use crate::StoreError;

/// Operations: ask for one, look at it, do a step of one.
#[async_trait]
pub trait Operations: Send + Sync {
    /// Asks for an operation on all jobs that match a filter. It is durable when it returns; nothing is done yet. An id that is
    /// there already fails the call.
    async fn operation_start(
        &self,
        id: OperationId,
        kind: OperationKind,
        filter: &JobFilter,
        now: Option<Timestamp>,
    ) -> Result<Operation, StoreError>;

    /// One operation; `None` if it is not there, or has been forgotten.
    async fn operation_get(&self, id: OperationId) -> Result<Option<Operation>, StoreError>;

    /// Takes the oldest operation that nobody works on and does a bounded number of its jobs, the newest first, as the calls on
    /// single jobs do: in one transaction, so that each job is done once. It looks through a bounded number of jobs, so a step may
    /// do none and yet not be the last. Jobs that were enqueued after the operation was asked
    /// for stay. `None` if there is nothing to do.
    async fn operation_step(&self, now: Option<Timestamp>) -> Result<Option<OperationStep>, StoreError>;
}

/// What a step came to.
#[derive(Clone, Debug)]
pub struct OperationStep {
    /// The operation, as it is after the step.
    pub operation: Operation,
    /// The jobs that changed.
    pub changed: Vec<JobId>,
    /// Those of them that run and are to be told to stop, with their leases.
    pub to_stop: Vec<(JobId, u64)>,
}
