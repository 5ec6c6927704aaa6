//! What the application asks for.

use async_trait::async_trait;
use windlass_model::{Job, JobId, JobState, NewJob, Timestamp};

use crate::StoreError;

/// Enqueue, cancel, retry.
#[async_trait]
pub trait JobInbox: Send + Sync {
    /// Adds jobs, all or none, and returns them as they are kept, in the given order. They are durable when it returns.
    ///
    /// A job whose `run_at` lies in the future is `scheduled`, any other `available`. The first entry of its history is
    /// that state. An id that is there already fails the call and adds nothing. An empty list adds nothing.
    async fn job_insert(&self, jobs: &[NewJob], now: Option<Timestamp>) -> Result<Vec<Job>, StoreError>;

    /// Cancels a job. May be repeated.
    ///
    /// One that has not started goes to `cancelled` at once. One that runs is marked, and goes on until its worker stops
    /// it. One that is over stays as it is.
    async fn job_cancel(&self, id: JobId, now: Option<Timestamp>) -> Result<CancelOutcome, StoreError>;

    /// Makes a job available now, and sees to it that it has at least one attempt left.
    ///
    /// Works on every job that does not run; also on one that is over, whose end is then forgotten: it has no
    /// `finished_at`, no output and no error any more, and its crashes and host faults are counted anew. Its attempts and
    /// its history stay. One that runs stays as it is.
    async fn job_retry(&self, id: JobId, now: Option<Timestamp>) -> Result<RetryOutcome, StoreError>;
}

/// What became of a wish to cancel.
#[derive(Clone, Debug)]
pub enum CancelOutcome {
    /// It had not started; it never will.
    Cancelled(Box<Job>),
    /// A worker holds it; the wish is written down.
    Requested(Box<Job>),
    /// It had ended before.
    AlreadyOver(JobState),
    /// There is no such job.
    NotFound,
}

/// What became of a wish to retry.
#[derive(Clone, Debug)]
pub enum RetryOutcome {
    /// It is available.
    Retried(Box<Job>),
    /// A worker holds it.
    Running,
    /// There is no such job.
    NotFound,
}
