//! What became of jobs, counted in the rows: for whoever measures, and must believe no answer.

use async_trait::async_trait;
use windlass_model::{JobId, JobState, QueueName, Timestamp, WorkerId};

use crate::StoreError;

/// Reading the books. Nothing here changes anything; each call looks at all jobs of a queue, so it takes as long as there are jobs.
///
/// Of a queue that is not there the lists are empty.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// The time by the database's clock, which is what jobs are stamped with.
    async fn clock(&self) -> Result<Timestamp, StoreError>;

    /// The jobs of a queue, those together of which the same is kept; the most frequent first.
    async fn lifecycles(&self, queue: &QueueName) -> Result<Vec<Lifecycle>, StoreError>;

    /// How long the jobs of a queue took that are over: from `from` on, or without it from when each was due; in slices by when they
    /// ended. A slice in which none ended is left out.
    async fn spans(
        &self,
        queue: &QueueName,
        from: Option<Timestamp>,
        slices: Slices,
    ) -> Result<Vec<SliceSpans>, StoreError>;

    /// How many attempts at jobs of a queue each worker has ended, the most first.
    async fn shares(&self, queue: &QueueName) -> Result<Vec<(WorkerId, u64)>, StoreError>;

    /// The database's version, and its settings that decide how quick and how durable a commit is: names and values as the database
    /// has them, on a connection as a daemon has it.
    async fn settings(&self) -> Result<Vec<(String, String)>, StoreError>;
}

/// What is kept of some jobs, the same of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifecycle {
    /// How many there are.
    pub jobs: u64,
    /// One of them.
    pub example: JobId,
    /// Their state.
    pub state: JobState,
    /// Their lease.
    pub lease: u64,
    /// Whether they have an output.
    pub has_output: bool,
    /// How many attempts have ended.
    pub attempts: u64,
    /// The highest lease of these.
    pub attempt_lease: Option<u64>,
    /// How many of these failed.
    pub failures: u64,
    /// How many entries of the history say that it waits: `scheduled` or `available`.
    pub waiting_entries: u64,
    /// How many say `running`.
    pub running_entries: u64,
    /// How many say `completed`.
    pub completed_entries: u64,
    /// How many say another state.
    pub other_entries: u64,
}

/// How time is cut.
#[derive(Clone, Copy, Debug)]
pub struct Slices {
    /// When the first begins. What ended before is left out.
    pub start: Timestamp,
    /// How long each is, in microseconds; 0 counts as 1.
    pub micros: u64,
}

impl Slices {
    /// All of the time from `start` on in one slice.
    #[must_use]
    pub const fn whole(start: Timestamp) -> Self {
        Self { start, micros: i64::MAX as u64 }
    }
}

/// How long the jobs took that ended in one slice of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceSpans {
    /// Which slice, from 0.
    pub slice: i64,
    /// How many jobs ended in it.
    pub jobs: u64,
    /// Half of them took no longer, in microseconds. Negative if the clock was set back.
    pub p50_micros: i64,
    /// 99 of 100 took no longer.
    pub p99_micros: i64,
    /// None took longer.
    pub max_micros: i64,
}
