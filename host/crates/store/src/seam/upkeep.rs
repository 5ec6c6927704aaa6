//! What sets the database right, again and again.

use std::time::Duration;

use async_trait::async_trait;
use windlass_model::{Bounds, JobId, Timestamp, Worker, WorkerId};

use crate::StoreError;

/// Upkeep. Each call looks at the database, does a bounded amount of work and may be repeated at any time by any worker.
#[async_trait]
pub trait Upkeep: Send + Sync {
    /// Makes at most `limit` jobs available whose `run_at` has come and that wait for no other job, the earliest first, and
    /// returns how many. They keep their attempts; the change is in their history.
    async fn job_promote(&self, limit: u32, now: Option<Timestamp>) -> Result<u32, StoreError>;

    /// Discards at most `limit` jobs that have not started before their `expires_at`, and returns their ids. What comes after
    /// them is settled as by any other end. One that runs goes on, but does not start again after that.
    async fn job_expire(&self, limit: u32, now: Option<Timestamp>) -> Result<Vec<JobId>, StoreError>;

    /// Goes on with what comes after at most `limit` jobs that had more dependents than the transaction that ended them could
    /// see to, and returns how many there were.
    async fn dependency_settle(&self, limit: u32, now: Option<Timestamp>) -> Result<u32, StoreError>;

    /// How long until the next waiting job is due: zero if one is due already, `None` if none waits.
    async fn job_next_due(&self, now: Option<Timestamp>) -> Result<Option<Duration>, StoreError>;

    /// Takes at most `limit` jobs away from workers whose lease has run out, or that are not there any more, and returns
    /// their ids. What becomes of each is decided by `Transition::after_lost_worker`. A job of a living worker stays.
    async fn job_rescue(&self, bounds: Bounds, limit: u32, now: Option<Timestamp>) -> Result<Vec<JobId>, StoreError>;

    /// Hands back at most `limit` jobs that this worker is believed to run and does not hold, and returns their ids: their claim was
    /// committed, and its answer was lost. `held` is what it holds, with the leases. A job that was claimed less than `age` ago
    /// stays: the answer may be on its way. So does a job of another worker. What becomes of each is decided by
    /// `Transition::after_lost_claim`.
    async fn job_disclaim(
        &self,
        worker: WorkerId,
        held: &[(JobId, u64)],
        age: Duration,
        limit: u32,
        now: Option<Timestamp>,
    ) -> Result<Vec<JobId>, StoreError>;

    /// Registers a worker whose lease lasts for `ttl` from now.
    async fn worker_register(
        &self,
        worker: &WorkerSlot,
        ttl: Duration,
        now: Option<Timestamp>,
    ) -> Result<(), StoreError>;

    /// Says that a worker is alive: its lease lasts for `ttl` from now. A worker that has been forgotten is registered
    /// again. Returns which of the jobs that it holds somebody wants cancelled.
    async fn worker_beat(&self, worker: &WorkerSlot, ttl: Duration, now: Option<Timestamp>)
    -> Result<Beat, StoreError>;

    /// Ends the lease of every other worker at once. Only for a database that one daemon owns alone.
    async fn worker_expire_others(&self, worker: WorkerId, now: Option<Timestamp>) -> Result<u32, StoreError>;

    /// Removes a worker that stopped in good order. Jobs that it still holds are found by the rescue.
    async fn worker_remove(&self, worker: WorkerId) -> Result<(), StoreError>;

    /// The workers that are known, in the order of their start.
    async fn worker_list(&self) -> Result<Vec<Worker>, StoreError>;
}

/// What a worker says of itself.
#[derive(Clone, Debug)]
pub struct WorkerSlot {
    /// Fresh at every start.
    pub id: WorkerId,
    /// The host's name.
    pub host: String,
    /// Its process id there.
    pub pid: u32,
    /// The version of the daemon.
    pub version: String,
}

/// What a worker learns when it says that it is alive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Beat {
    /// Jobs that it holds, with their leases, that somebody wants cancelled.
    pub cancel: Vec<(JobId, u64)>,
}
