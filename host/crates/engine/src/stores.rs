//! The store's seams, as the engine holds them.

use std::sync::Arc;

use windlass_store::{JobDirectory, JobInbox, JobQueue, Upkeep};

/// The store's four seams. Cheap to clone.
#[derive(Clone)]
pub struct Stores {
    pub(crate) inbox: Arc<dyn JobInbox>,
    pub(crate) queue: Arc<dyn JobQueue>,
    pub(crate) directory: Arc<dyn JobDirectory>,
    pub(crate) upkeep: Arc<dyn Upkeep>,
}

impl Stores {
    /// All four seams of one database.
    #[must_use]
    pub fn of<S>(store: Arc<S>) -> Self
    where
        S: JobInbox + JobQueue + JobDirectory + Upkeep + 'static,
    {
        Self { inbox: store.clone(), queue: store.clone(), directory: store.clone(), upkeep: store }
    }
}
