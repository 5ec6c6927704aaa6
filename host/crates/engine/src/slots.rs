//! Room to run jobs: for all together, and for those tasks that may only run a few at once here.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use windlass_model::TaskName;
use windlass_store::TaskRoom;

use crate::port::TaskRunner;

/// The slots of this worker, and how many jobs of each task are claimed here. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Slots(Arc<Room>);

struct Room {
    free: AtomicU32,
    /// Jobs that are claimed here and have not ended, by task.
    claimed: Mutex<HashMap<TaskName, u32>>,
}

/// The room of its task that one claimed job takes. It is given back when this is dropped.
pub(crate) struct Claim {
    task: TaskName,
    of: Slots,
}

/// The slot that one attempt takes. It is given back when this is dropped.
pub(crate) struct Slot {
    claim: Claim,
}

impl Slots {
    pub(crate) fn new(slots: u32) -> Self {
        Self(Arc::new(Room { free: AtomicU32::new(slots), claimed: Mutex::default() }))
    }

    /// How many attempts may begin now. Only the dispatcher takes slots, so there are no fewer when it does.
    pub(crate) fn free(&self) -> u32 {
        self.0.free.load(Ordering::Acquire)
    }

    /// The tasks that can be claimed now, each with how many of its jobs.
    pub(crate) fn room(&self, runner: &dyn TaskRunner) -> Vec<TaskRoom> {
        let claimed = self.claimed();
        let room = |task: TaskName| {
            let max = runner.limits(&task).concurrency;
            let room = max.map(|max| max.saturating_sub(claimed.get(&task).copied().unwrap_or(0)));
            TaskRoom { task, room }
        };
        runner.loaded().into_iter().map(room).filter(|task| task.room != Some(0)).collect()
    }

    /// Takes room of a task for a job that was claimed.
    pub(crate) fn claim(&self, task: &TaskName) -> Claim {
        let mut claimed = self.claimed();
        match claimed.get_mut(task) {
            Some(count) => *count += 1,
            None => {
                claimed.insert(task.clone(), 1);
            }
        }
        Claim { task: task.clone(), of: self.clone() }
    }

    fn claimed(&self) -> MutexGuard<'_, HashMap<TaskName, u32>> {
        // Plain numbers, right after every step.
        self.0.claimed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    /// Takes a slot. The caller has seen that one is free.
    pub(crate) fn start(self) -> Slot {
        self.of.0.free.fetch_sub(1, Ordering::AcqRel);
        Slot { claim: self }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut claimed = self.of.claimed();
        if let Some(count) = claimed.get_mut(&self.task) {
            *count -= 1;
            if *count == 0 {
                claimed.remove(&self.task);
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.claim.of.0.free.fetch_add(1, Ordering::AcqRel);
    }
}
