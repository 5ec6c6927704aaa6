//! The store's seams, as the engine holds them.

use std::sync::Arc;

use windlass_store::{
    ChangeSource, Janitor, JobDirectory, JobInbox, JobQueue, KeyValues, Operations, QueueBoard, Upkeep, VersionShelf,
};

/// The store's seams. Cheap to clone.
#[derive(Clone)]
pub struct Stores {
    pub(crate) inbox: Arc<dyn JobInbox>,
    pub(crate) queue: Arc<dyn JobQueue>,
    pub(crate) directory: Arc<dyn JobDirectory>,
    pub(crate) key_values: Arc<dyn KeyValues>,
    pub(crate) upkeep: Arc<dyn Upkeep>,
    pub(crate) queues: Arc<dyn QueueBoard>,
    pub(crate) operations: Arc<dyn Operations>,
    pub(crate) janitor: Arc<dyn Janitor>,
    pub(crate) versions: Arc<dyn VersionShelf>,
    pub(crate) changes: Arc<dyn ChangeSource>,
}

impl Stores {
    /// All seams of one database.
    #[must_use]
    pub fn of<S>(store: Arc<S>) -> Self
    where
        S: JobInbox
            + JobQueue
            + JobDirectory
            + Upkeep
            + QueueBoard
            + Operations
            + Janitor
            + KeyValues
            + VersionShelf
            + ChangeSource
            + 'static,
    {
        Self {
            inbox: store.clone(),
            queue: store.clone(),
            directory: store.clone(),
            key_values: store.clone(),
            upkeep: store.clone(),
            queues: store.clone(),
            operations: store.clone(),
            janitor: store.clone(),
            versions: store.clone(),
            changes: store,
        }
    }

    /// The same, but with somebody else to tell of changes.
    #[must_use]
    pub fn told_by(self, changes: Arc<dyn ChangeSource>) -> Self {
        Self { changes, ..self }
    }

    /// The same, but with somebody else who keeps the jobs, for tests and benches of the engine alone.
    #[must_use]
    pub fn jobs_in<S: JobInbox + JobQueue + 'static>(self, store: Arc<S>) -> Self {
        Self { inbox: store.clone(), queue: store, ..self }
    }
}
