//! Removes the artifacts of jobs that are not in the database any more.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use windlass_store::{Janitor, StoreError};

use crate::port::TaskRunner;

/// How many jobs one query asks about.
const PAGE: usize = 500;

/// Removes the artifacts of jobs that are not in the database any more. Every daemon does, each for the artifacts that it has: the
/// daemon that removed the rows may be another one, or may have died in between.
pub(crate) struct Sweeper {
    pub(crate) store: Arc<dyn Janitor>,
    pub(crate) runner: Arc<dyn TaskRunner>,
    pub(crate) every: Duration,
}

impl Sweeper {
    pub(crate) async fn run(self, stop: CancellationToken) {
        loop {
            let pass = async {
                if let Err(fault) = self.pass().await {
                    warn!(
                        error = &fault as &dyn std::error::Error,
                        "Cannot look for artifacts of jobs that are gone, trying again later: {fault}"
                    );
                }
                tokio::time::sleep(self.every).await;
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = pass => (),
            }
        }
    }

    async fn pass(&self) -> Result<(), StoreError> {
        // What is listed here was in the database when its artifacts were published: unknown means gone.
        for page in self.runner.artifact_jobs().await.chunks(PAGE) {
            let gone = self.store.job_unknown(page).await?;
            if !gone.is_empty() {
                info!(jobs = gone.len(), "Removing the artifacts of {} jobs that are gone", gone.len());
                self.runner.remove_artifacts(&gone).await;
            }
        }
        Ok(())
    }
}
