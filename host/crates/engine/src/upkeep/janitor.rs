//! Does what one of all daemons must do: prunes finished jobs, adds up counts, forgets what has had its time.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use windlass_model::{JobId, JobState, KeepTime, QueueKeep, WorkerId};
use windlass_store::{Janitor as JanitorStore, QueueBoard, StoreError};

use crate::clock;
use crate::port::TaskRunner;
use crate::settings::Retention;

/// The role that the janitor leads in.
const ROLE: &str = "janitor";

/// How much one transaction removes, so that none is long.
const MAX_PER_STEP: u32 = 500;

/// How many notes on counts one transaction adds up.
const MAX_FOLDED: u32 = 5_000;

/// How long an operation that is over can be looked up.
const OPERATION_KEPT: Duration = Duration::from_secs(7 * 24 * 3_600);

/// A worker is forgotten when its lease ran out so many of its lengths ago.
const FORGOTTEN_AFTER: u32 = 10;

/// Does what one of all daemons must do, while it leads.
pub(crate) struct Janitor {
    pub(crate) worker: WorkerId,
    pub(crate) store: Arc<dyn JanitorStore>,
    pub(crate) queues: Arc<dyn QueueBoard>,
    pub(crate) runner: Arc<dyn TaskRunner>,
    pub(crate) retention: Retention,
    pub(crate) every: Duration,
    pub(crate) ttl: Duration,
}

impl Janitor {
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut term = None;
        while !stop.is_cancelled() {
            if let Err(fault) = self.pass(&mut term, &stop).await {
                warn!(error = &fault as &dyn std::error::Error, "Cannot tidy up the database, trying again: {fault}");
            }
            tokio::select! {
                () = stop.cancelled() => (),
                () = tokio::time::sleep(clock::spread_out(self.every)) => (),
            }
        }
        if let Err(fault) = self.store.lead_resign(self.worker, None).await {
            debug!(error = &fault as &dyn std::error::Error, "Cannot give up leading; the lease runs out by itself");
        }
    }

    async fn pass(&self, term: &mut Option<u64>, stop: &CancellationToken) -> Result<(), StoreError> {
        if !self.leads(term).await? {
            return Ok(());
        }
        while self.store.queue_counts_fold(MAX_FOLDED).await? > 0 && !stop.is_cancelled() {}
        while self.store.idempotency_prune(MAX_PER_STEP, None).await? == MAX_PER_STEP && !stop.is_cancelled() {}
        while self.store.operation_prune(OPERATION_KEPT, MAX_PER_STEP, None).await? == MAX_PER_STEP
            && !stop.is_cancelled()
        {}
        self.store.worker_forget(self.ttl * FORGOTTEN_AFTER, MAX_PER_STEP, None).await?;
        for queue in self.queues.queue_list().await? {
            for state in [JobState::Completed, JobState::Discarded, JobState::Cancelled] {
                let keep = self.retention.keep(state, queue.settings.keep);
                // Each step may take a while: whoever does not lead any more leaves the rest to the one who does.
                while !stop.is_cancelled() && self.leads(term).await? {
                    let pruned = self.store.job_prune(&queue.name, state, keep, MAX_PER_STEP, None).await?;
                    self.remove_artifacts(&pruned).await;
                    if pruned.len() < MAX_PER_STEP as usize {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    async fn leads(&self, term: &mut Option<u64>) -> Result<bool, StoreError> {
        let before = *term;
        *term = self.store.lead(ROLE, self.worker, self.ttl, None).await?;
        match (before, *term) {
            (Some(before), None) => warn!("Another daemon tidies up the database now (term {before} is over)"),
            (before, Some(term)) if before != Some(term) => {
                info!("This daemon tidies up the database from now on (term {term})")
            }
            _ => (),
        }
        Ok(term.is_some())
    }

    /// The rows are gone: what is not removed now, because it is on another host or because the daemon stops, is found by the
    /// sweep of whoever has it.
    async fn remove_artifacts(&self, pruned: &[JobId]) {
        if !pruned.is_empty() {
            debug!(jobs = pruned.len(), "Removed {} finished jobs", pruned.len());
            self.runner.remove_artifacts(pruned).await;
        }
    }
}

impl Retention {
    fn keep(&self, state: JobState, of_queue: QueueKeep) -> Duration {
        let (own, general) = match state {
            JobState::Completed => (of_queue.completed, self.completed),
            JobState::Discarded => (of_queue.discarded, self.discarded),
            _ => (of_queue.cancelled, self.cancelled),
        };
        KeepTime::get(own.unwrap_or(general))
    }
}
