//! Makes waiting jobs available when their time has come, and discards those that it is too late for.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;
use windlass_store::{StoreError, Upkeep};

use crate::bus::Bus;
use crate::clock;
use crate::wake::Wake;

/// How many jobs one transaction takes, so that none is long.
const MAX_PER_PASS: u32 = 1_000;

/// The shortest wait: the database's clock may have only milliseconds.
const MIN_PAUSE: Duration = Duration::from_millis(1);

/// Makes waiting jobs available.
pub(crate) struct Promoter {
    pub(crate) upkeep: Arc<dyn Upkeep>,
    pub(crate) bus: Bus,
    pub(crate) wake: Wake,
    pub(crate) poll_every: Duration,
}

impl Promoter {
    pub(crate) async fn run(self, stop: CancellationToken) {
        let wake = self.wake.for_promoter();
        loop {
            let woken = wake.notified();
            let pause = match self.pass().await {
                Ok(pause) => pause,
                Err(fault) => {
                    warn!(
                        error = &fault as &dyn std::error::Error,
                        "Cannot look for jobs that are due, trying again: {fault}"
                    );
                    self.poll()
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = woken => (),
                () = tokio::time::sleep(pause) => (),
            }
        }
    }

    /// Returns how long to wait for the next pass.
    async fn pass(&self) -> Result<Duration, StoreError> {
        self.expire().await?;
        // Few of them: only jobs with more dependents than one transaction sees to.
        while self.upkeep.dependency_settle(1, None).await? > 0 {
            self.wake.dispatcher();
        }
        loop {
            let promoted = self.upkeep.job_promote(MAX_PER_PASS, None).await?;
            if promoted > 0 {
                self.wake.dispatcher();
            }
            if promoted < MAX_PER_PASS {
                break;
            }
        }
        let next = self.upkeep.job_next_due(None).await?;
        let poll = self.poll();
        Ok(next.unwrap_or(poll).min(poll).max(MIN_PAUSE))
    }

    /// How long to wait if nothing is due.
    fn poll(&self) -> Duration {
        clock::spread_out(self.poll_every)
    }

    async fn expire(&self) -> Result<(), StoreError> {
        loop {
            let expired = self.upkeep.job_expire(MAX_PER_PASS, None).await?;
            self.bus.publish(expired.iter().copied());
            if expired.len() < MAX_PER_PASS as usize {
                return Ok(());
            }
        }
    }
}
