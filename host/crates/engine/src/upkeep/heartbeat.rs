//! Says that this worker is alive, and learns which of its jobs were cancelled on other hosts.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;
use windlass_store::{Upkeep, WorkerSlot};

use crate::running::Running;
use crate::wake::Wake;

/// Says that this worker is alive.
pub(crate) struct Heartbeat {
    pub(crate) upkeep: Arc<dyn Upkeep>,
    pub(crate) worker: WorkerSlot,
    pub(crate) running: Running,
    pub(crate) wake: Wake,
    pub(crate) every: Duration,
    pub(crate) ttl: Duration,
}

impl Heartbeat {
    /// Runs until the last job is over: a worker that shuts down still holds its jobs.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let wake = self.wake.for_heartbeat();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                // Earlier than it must: somebody was cancelled somewhere.
                () = wake.notified() => (),
                () = tokio::time::sleep(self.every) => (),
            }
            match self.upkeep.worker_beat(&self.worker, self.ttl, None).await {
                Ok(beat) => beat.cancel.into_iter().for_each(|(id, lease)| self.running.cancel(id, lease)),
                Err(fault) => warn!(
                    error = &fault as &dyn std::error::Error,
                    "Cannot say that this worker is alive; after {:?} without that its jobs are taken away: {fault}",
                    self.ttl
                ),
            }
        }
    }
}
