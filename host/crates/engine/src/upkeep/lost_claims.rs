//! Hands back jobs whose claim was committed though its answer never came: the database believes that this worker runs them, and it
//! does not know of them. Nobody else may take them, for this worker lives.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;
use windlass_model::WorkerId;
use windlass_store::{StoreError, Upkeep};

use crate::bus::Bus;
use crate::clock;
use crate::running::Running;
use crate::wake::Wake;

/// How many jobs one pass hands back. A claim may take more, slots and buffer together; the next pass takes the rest.
const MAX_PER_PASS: u32 = 1_000;

/// Hands back jobs whose claim this worker has not heard of.
pub(crate) struct LostClaims {
    pub(crate) upkeep: Arc<dyn Upkeep>,
    pub(crate) worker: WorkerId,
    pub(crate) running: Running,
    pub(crate) bus: Bus,
    pub(crate) wake: Wake,
    /// A claim that is younger may still be on its way. As long as a dead worker is believed to live: no job waits longer for one
    /// than for the other.
    pub(crate) age: Duration,
}

impl LostClaims {
    pub(crate) async fn run(self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(clock::spread_out(self.age / 3)) => (),
            }
            if let Err(fault) = self.pass().await {
                warn!(
                    error = &fault as &dyn std::error::Error,
                    "Cannot look for claims whose answer was lost, trying again: {fault}"
                );
            }
        }
    }

    async fn pass(&self) -> Result<(), StoreError> {
        // What is held is looked up before the database is: a job that ends in between is still on the list.
        let held = self.running.held();
        let lost = self.upkeep.job_disclaim(self.worker, &held, self.age, MAX_PER_PASS, None).await?;
        if !lost.is_empty() {
            warn!(jobs = lost.len(), "Handed back {} jobs: the answer to their claim was lost", lost.len());
            self.wake.dispatcher();
            self.bus.publish(lost);
        }
        Ok(())
    }
}
