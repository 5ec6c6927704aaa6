//! Sees to it that this worker serves what the database says, and says in the database what it serves.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;
use windlass_model::{WorkerId, WorkerTask};
use windlass_store::{StoreError, VersionShelf};

use crate::clock;
use crate::port::TaskRunner;
use crate::wake::Wake;

/// How often it is said again: a worker that was forgotten and came back has lost what it had said.
const SAID_AGAIN: Duration = Duration::from_secs(60);

/// Sees to it that this worker serves what the database says. That it looks by itself now and then too is the sandbox's doing.
pub(crate) struct Shelver {
    pub(crate) shelf: Arc<dyn VersionShelf>,
    pub(crate) runner: Arc<dyn TaskRunner>,
    pub(crate) worker: WorkerId,
    pub(crate) wake: Wake,
}

impl Shelver {
    pub(crate) async fn run(self, stop: CancellationToken) {
        let wake = self.wake.for_shelver();
        let mut changes = self.runner.changes();
        let mut said = None;
        loop {
            // Before the look, so that a change after it is seen the next time.
            changes.mark_unchanged();
            if let Err(fault) = self.say(&mut said).await {
                warn!(
                    error = &fault as &dyn std::error::Error,
                    "Cannot say which versions this worker serves: {fault}"
                );
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = wake.notified() => {
                    // It may compile for a while.
                    stop.run_until_cancelled(self.runner.refresh()).await;
                }
                changed = changes.changed() => if changed.is_err() {
                    // The sandbox is gone, and nothing changes any more.
                    return stop.cancelled().await;
                },
                () = tokio::time::sleep(clock::spread_out(SAID_AGAIN)) => said = None,
            }
        }
    }

    async fn say(&self, said: &mut Option<Vec<WorkerTask>>) -> Result<(), StoreError> {
        let tasks = self.runner.tasks().into_iter().map(|task| WorkerTask {
            worker: self.worker,
            task: task.name,
            digest: task.version.map(|version| version.digest),
            load_error: task.load_error.map(|error| error.message),
        });
        let tasks: Vec<_> = tasks.collect();
        if said.as_ref() != Some(&tasks) {
            self.shelf.worker_tasks_save(self.worker, &tasks).await?;
            *said = Some(tasks);
        }
        Ok(())
    }
}
