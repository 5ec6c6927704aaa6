//! Does the steps of operations on many jobs.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use windlass_store::{OperationStep, Operations, StoreError};

use crate::bus::Bus;
use crate::clock;
use crate::running::Running;
use crate::wake::Wake;

/// Does the steps of operations on many jobs. Every daemon does; each step is one transaction.
pub(crate) struct Operator {
    pub(crate) operations: Arc<dyn Operations>,
    pub(crate) running: Running,
    pub(crate) bus: Bus,
    pub(crate) wake: Wake,
    pub(crate) poll_every: Duration,
}

impl Operator {
    pub(crate) async fn run(self, stop: CancellationToken) {
        let wake = self.wake.for_operator();
        loop {
            let woken = wake.notified();
            if let Err(fault) = self.pass(&stop).await {
                warn!(
                    error = &fault as &dyn std::error::Error,
                    "Cannot go on with the operations on many jobs, trying again: {fault}"
                );
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = woken => (),
                () = tokio::time::sleep(clock::spread_out(self.poll_every)) => (),
            }
        }
    }

    async fn pass(&self, stop: &CancellationToken) -> Result<(), StoreError> {
        while !stop.is_cancelled() {
            let Some(step) = self.operations.operation_step(None).await? else { return Ok(()) };
            let OperationStep { operation, changed, to_stop } = step;
            to_stop.into_iter().for_each(|(id, lease)| self.running.cancel(id, lease));
            if !changed.is_empty() {
                self.bus.publish(changed);
                // What was retried may run now, and what comes after a job that was cancelled.
                self.wake.dispatcher();
            }
            if operation.finished_at.is_some() {
                info!(
                    operation.id = %operation.id,
                    "The operation {} ({}) is over: {} of {} jobs changed",
                    operation.id, operation.kind, operation.changed, operation.seen
                );
            }
        }
        Ok(())
    }
}
