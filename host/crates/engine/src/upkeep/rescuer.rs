//! Takes jobs away from workers that died.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;
use windlass_model::Bounds;
use windlass_store::{StoreError, Upkeep};

use crate::bus::Bus;
use crate::clock;
use crate::wake::Wake;

/// How many jobs one transaction takes away.
const MAX_RESCUED_PER_PASS: u32 = 500;

/// Takes jobs away from workers that died.
pub(crate) struct Rescuer {
    pub(crate) upkeep: Arc<dyn Upkeep>,
    pub(crate) bus: Bus,
    pub(crate) wake: Wake,
    pub(crate) bounds: Bounds,
    pub(crate) every: Duration,
}

impl Rescuer {
    pub(crate) async fn run(self, stop: CancellationToken) {
        loop {
            if let Err(fault) = self.pass().await {
                warn!(
                    error = &fault as &dyn std::error::Error,
                    "Cannot look for jobs of dead workers, trying again: {fault}"
                );
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(clock::spread_out(self.every)) => (),
            }
        }
    }

    async fn pass(&self) -> Result<(), StoreError> {
        loop {
            let rescued = self.upkeep.job_rescue(self.bounds, MAX_RESCUED_PER_PASS, None).await?;
            if !rescued.is_empty() {
                warn!(jobs = rescued.len(), "Took {} jobs away from workers that died", rescued.len());
                self.wake.dispatcher();
                self.bus.publish(rescued.iter().copied());
            }
            if rescued.len() < MAX_RESCUED_PER_PASS as usize {
                return Ok(());
            }
        }
    }
}
