//! How those who follow a job wait: for a hint, or for a poll, but not too often.

use std::time::Duration;

use tokio::time::Instant;
use windlass_engine::{Handle, JobWatch};
use windlass_model::JobId;

/// Follows one job. Make it before the first look at the job: then no change is missed.
pub(crate) struct Pace {
    watch: JobWatch,
    poll_every: Duration,
    at_least: Duration,
    looked: Instant,
}

/// Why a wait is over.
pub(crate) enum Woken {
    /// Something may have changed: look.
    Look,
    /// The daemon shuts down: answer now.
    Stopping,
}

impl Pace {
    /// Follows a job, looking again after `poll_every` at the latest and after `at_least` at the earliest.
    pub(crate) fn new(handle: &Handle, id: JobId, poll_every: Duration, at_least: Duration) -> Self {
        Self { watch: handle.watch(id), poll_every, at_least, looked: Instant::now() }
    }

    /// Returns when it is time for another look.
    pub(crate) async fn wait(&mut self, handle: &Handle) -> Woken {
        let stopping = handle.stopping();
        let next = async {
            tokio::select! {
                () = self.watch.changed() => (),
                // Nobody may have told us: another host does not reach this bus.
                () = tokio::time::sleep(self.poll_every) => (),
            }
            // Hints that come in the meantime are answered by the same look.
            tokio::time::sleep_until(self.looked + self.at_least).await;
        };
        tokio::select! {
            biased;
            () = stopping.cancelled() => Woken::Stopping,
            () = next => {
                self.looked = Instant::now();
                Woken::Look
            }
        }
    }

    /// Returns when the job may be over. What it tells while it runs is nothing to look at.
    pub(crate) async fn wait_for_end(&mut self, handle: &Handle) -> Woken {
        let stopping = handle.stopping();
        tokio::select! {
            biased;
            () = stopping.cancelled() => Woken::Stopping,
            () = self.watch.ended() => Woken::Look,
            () = tokio::time::sleep(self.poll_every) => Woken::Look,
        }
    }
}
