//! The job that runs.
//!
//! ```no_run
//! use windlass_guest::{Job, TaskError, cancelled};
//!
//! fn work(job: &Job) -> Result<(), TaskError> {
//!     for item in 0..1_000_u32 {
//!         if job.is_cancelled() {
//!             return Err(cancelled());
//!         }
//!         job.progress().percent((item / 10) as u8).report();
//!     }
//!     Ok(())
//! }
//! ```

use crate::bindings::windlass::task::job as host;
use crate::progress::Report;

/// The job that runs: who it is, and what it can ask and tell.
#[derive(Debug)]
pub struct Job {
    id: String,
}

impl Job {
    pub(crate) const fn new(id: String) -> Self {
        Self { id }
    }

    /// The job's id, a UUID. Together with [`Job::attempt`] a key for what must not be done twice.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Begins a report of progress; see [`Report`].
    pub const fn progress(&self) -> Report<'_> {
        Report::new(self)
    }

    /// Whether somebody asked to cancel this job. Clean up, and return [`cancelled`](crate::cancelled); a handler that does
    /// not is interrupted after a grace period.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        host::is_cancelled()
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        host::attempt()
    }

    /// How many attempts the job has in all.
    #[must_use]
    pub fn max_attempts(&self) -> u32 {
        host::max_attempts()
    }

    /// When this attempt will be interrupted, in Unix milliseconds, if it has a time limit.
    #[must_use]
    pub fn deadline(&self) -> Option<u64> {
        host::deadline()
    }

    /// More about the job, as a JSON object: task, queue, tags, metadata.
    #[must_use]
    pub fn context(&self) -> serde_json::Value {
        serde_json::from_str(&host::context()).unwrap_or_default()
    }
}
