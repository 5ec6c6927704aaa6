//! What the application asks for.

use async_trait::async_trait;
use windlass_model::{Job, JobId, JobState, Submission, Timestamp};

use crate::StoreError;

/// Enqueue, cancel, retry.
#[async_trait]
pub trait JobInbox: Send + Sync {
    /// Adds jobs, each submission all or none and one apart from the other, all of them in one transaction. They are durable
    /// when it returns. Returns an outcome for each submission, in the given order.
    ///
    /// A job whose `run_at` lies in the future, or that waits for others, is `scheduled`, any other `available`. The first
    /// entry of its history is that state. An id that is there already fails the whole call and adds nothing.
    ///
    /// **Unique**: of jobs with the same key at most one holds it, by an index; a job holds it until it ends, and in the final
    /// states that it names. A job whose key is held is not added: the holder stands for it, or takes over its arguments, or
    /// the submission is refused, as its mode says. That goes for jobs of one call too.
    ///
    /// **After**: a job waits until all jobs that it names have ended. If one of them is not there, the submission is refused.
    ///
    /// **Parent**: a job of a parent is added only while the parent runs under the named lease. A parent has at most one job
    /// for each `child_key`; that one stands for all later ones.
    ///
    /// **Idempotency**: a submission whose key was answered within the last day gets the same answer and adds nothing; with
    /// another fingerprint it is refused. A refusal is not kept.
    async fn job_submit(
        &self,
        submissions: &[Submission],
        now: Option<Timestamp>,
    ) -> Result<Vec<Submitted>, StoreError>;

    /// Cancels a job. May be repeated.
    ///
    /// One that has not started goes to `cancelled` at once. One that runs is marked, and goes on until its worker stops
    /// it. One that is over stays as it is.
    async fn job_cancel(&self, id: JobId, now: Option<Timestamp>) -> Result<CancelOutcome, StoreError>;

    /// Makes a job available now, and sees to it that it has at least one attempt left.
    ///
    /// Works on every job that does not run; also on one that is over, whose end is then forgotten: it has no
    /// `finished_at`, no output and no error any more, and its crashes and host faults are counted anew. Its attempts and
    /// its history stay. It waits for no other job any more and does not expire. One that runs stays as it is. So does one
    /// that ended and whose unique key another job holds now.
    async fn job_retry(&self, id: JobId, now: Option<Timestamp>) -> Result<RetryOutcome, StoreError>;
}

/// What became of a submission.
#[derive(Clone, Debug)]
pub enum Submitted {
    /// Its jobs, in the given order, as they are kept.
    Added(Vec<Added>),
    /// What was answered to the same submission before.
    Repeated(Vec<Added>),
    /// None of its jobs was added.
    Refused(Refusal),
}

/// What became of one job of a submission.
#[derive(Clone, Debug)]
pub struct Added {
    /// The job.
    pub job: Job,
    /// Whether it was there before and stands for the one that was sent.
    pub is_deduplicated: bool,
    /// Whether it was offered to this daemon's worker as it was added, see [`JobQueue::job_offer`](crate::JobQueue::job_offer): then
    /// nobody here has to look for it.
    pub is_offered: bool,
}

/// Why a submission was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The key of a job that is to be refused then is held.
    Duplicate {
        /// Which of the jobs, from 0.
        index: usize,
        /// Who holds it.
        holder: JobId,
    },
    /// A job comes after one that is not there.
    NoSuchJob {
        /// Which of the jobs, from 0.
        index: usize,
        /// What is not there.
        after: JobId,
    },
    /// The parent does not run under the named lease any more.
    ParentLost,
    /// The idempotency key was used for another request.
    KeyReused,
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
    /// Its unique key is held by this job now.
    Duplicate(JobId),
    /// There is no such job.
    NotFound,
}
