//! Keeping something for a later attempt of the same job, so that a long job goes on where it stopped.
//!
//! ```no_run
//! # use windlass_guest::{Job, TaskError};
//! fn work(job: &Job) -> Result<(), TaskError> {
//!     let start: u64 = job.load_checkpoint().unwrap_or(0);
//!     for item in start..1_000_000 {
//!         if item % 10_000 == 0 {
//!             job.save_checkpoint(&item)?;
//!         }
//!     }
//!     Ok(())
//! }
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bindings::windlass::task::job as host;
use crate::{Job, TaskError};

impl Job {
    /// Keeps a value for a later attempt, in place of what was kept before, as JSON of at most 1 MiB. It is durable when this
    /// returns. Fails only if the value cannot be written as JSON.
    pub fn save_checkpoint<T: Serialize>(&self, value: &T) -> Result<(), TaskError> {
        self.save_checkpoint_bytes(&serde_json::to_vec(value)?);
        Ok(())
    }

    /// What an earlier attempt kept. `None` if nothing was, or if it does not fit `T`: perhaps another version of the plugin
    /// kept it, and starting over is right then.
    #[must_use]
    pub fn load_checkpoint<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.load_checkpoint_bytes()?).ok()
    }

    /// Keeps bytes, at most 1 MiB; more is a trap.
    pub fn save_checkpoint_bytes(&self, bytes: &[u8]) {
        host::save_checkpoint(bytes);
    }

    /// The bytes that were kept last.
    #[must_use]
    pub fn load_checkpoint_bytes(&self) -> Option<Vec<u8>> {
        host::load_checkpoint()
    }
}
