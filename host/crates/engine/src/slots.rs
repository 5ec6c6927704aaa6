//! Room to run jobs: for all together, and for those tasks that may only run a few at once here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedSemaphorePermit;
use windlass_model::TaskName;
use windlass_store::TaskRoom;

use crate::port::TaskRunner;

/// How many attempts of each task run here. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct TaskSlots(Arc<Mutex<HashMap<TaskName, u32>>>);

/// The room that one attempt takes. It is given back when this is dropped.
pub(crate) struct Slot {
    task: TaskName,
    of: TaskSlots,
    _permit: Option<OwnedSemaphorePermit>,
}

impl TaskSlots {
    /// The tasks that can be claimed now, each with how many of its jobs.
    pub(crate) fn room(&self, runner: &dyn TaskRunner) -> Vec<TaskRoom> {
        let running = self.lock();
        let room = |task: TaskName| {
            let max = runner.limits(&task).concurrency;
            let room = max.map(|max| max.saturating_sub(running.get(&task).copied().unwrap_or(0)));
            TaskRoom { task, room }
        };
        runner.loaded().into_iter().map(room).filter(|task| task.room != Some(0)).collect()
    }

    /// Takes room for an attempt of a task.
    pub(crate) fn take(&self, task: TaskName, permit: Option<OwnedSemaphorePermit>) -> Slot {
        *self.lock().entry(task.clone()).or_default() += 1;
        Slot { task, of: self.clone(), _permit: permit }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<TaskName, u32>> {
        // Plain numbers, right after every step.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut running = self.of.lock();
        if let Some(count) = running.get_mut(&self.task) {
            *count -= 1;
            if *count == 0 {
                running.remove(&self.task);
            }
        }
    }
}
