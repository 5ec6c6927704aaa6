//! Claims jobs as long as there is room to run them.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use windlass_model::WorkerId;
use windlass_store::{Claimed, FailPoint, JobQueue, StoreError};

use crate::clock;
use crate::executor::Executor;
use crate::port::TaskRunner;
use crate::slots::TaskSlots;
use crate::wake::Wake;

/// The longest wait after an error.
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// Claims jobs and hands each to the executor with the slot that it takes.
pub(crate) struct Dispatcher {
    pub(crate) worker: WorkerId,
    pub(crate) queue: Arc<dyn JobQueue>,
    pub(crate) runner: Arc<dyn TaskRunner>,
    pub(crate) executor: Arc<Executor>,
    pub(crate) slots: Arc<Semaphore>,
    pub(crate) tasks: TaskSlots,
    pub(crate) wake: Wake,
    pub(crate) poll_every: Duration,
}

impl Dispatcher {
    pub(crate) async fn run(self, stop: CancellationToken) {
        let wake = self.wake.for_dispatcher();
        let mut changes = self.runner.changes();
        let mut failures = 0_u32;
        loop {
            // Ask to be woken before looking: a job enqueued between the query and the wait would otherwise lie until the
            // next poll.
            let woken = wake.notified();
            changes.mark_unchanged();
            let pause = match self.claim(&stop).await {
                Ok((0, again_in)) => {
                    failures = 0;
                    let poll = clock::spread_out(self.poll_every);
                    again_in.map_or(poll, |again_in| again_in.min(poll))
                }
                Ok(_) => {
                    failures = 0;
                    continue;
                }
                Err(fault) => {
                    failures += 1;
                    let pause = Duration::from_millis(100).saturating_mul(1 << failures.min(7)).min(MAX_BACKOFF);
                    warn!(
                        error = &fault as &dyn std::error::Error,
                        "Cannot claim jobs, trying again in {pause:?}: {fault}"
                    );
                    pause
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = woken, if failures == 0 => (),
                changed = changes.changed(), if failures == 0 => if changed.is_err() { break },
                () = tokio::time::sleep(pause) => (),
            }
        }
        info!("The dispatcher has stopped: no more jobs are claimed");
    }

    /// Fills the free slots, and returns how many jobs it found and when at the latest to look again.
    async fn claim(&self, stop: &CancellationToken) -> Result<(usize, Option<Duration>), StoreError> {
        if stop.is_cancelled() {
            return Ok((0, None));
        }
        let free = u32::try_from(self.slots.available_permits()).unwrap_or(u32::MAX);
        // Only this loop takes slots, so what is free now is still free below.
        let Ok(mut room) = self.slots.clone().try_acquire_many_owned(free) else { return Ok((0, None)) };
        // Only this loop takes room for tasks too, and what ends meanwhile only makes more of it.
        let tasks = self.tasks.room(&*self.runner);
        let Claimed { jobs, again_in } = self.queue.job_claim_within(self.worker, &tasks, free, None).await?;
        let found = jobs.len();
        if found > 0 {
            FailPoint::AfterClaim.hit();
        }
        for job in jobs {
            let slot = self.tasks.take(job.task.clone(), room.split(1));
            self.executor.clone().start(job, slot);
        }
        Ok((found, again_in))
    }
}
