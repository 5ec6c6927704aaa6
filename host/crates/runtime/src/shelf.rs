//! Where versions are kept, and who says which is in service. The daemon's database, or the files alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use windlass_model::{Arrival, Placement, TaskName, TaskRecord};

use crate::port::HostError;

/// Where versions are kept, and who says which is in service.
#[async_trait]
pub trait Shelf: Send + Sync {
    /// Takes a version that a file of the plugins directory holds. It has been loaded, so it may go into service.
    async fn publish(&self, version: FileVersion) -> Result<Placement, HostError>;

    /// What is in service of each task. A task that is not on the list has never had a version.
    async fn tasks(&self) -> Result<Vec<TaskRecord>, HostError>;

    /// A component; `None` if it is not kept.
    async fn component(&self, task: &TaskName, digest: &str) -> Result<Option<Vec<u8>>, HostError>;
}

/// A version that a file holds.
#[derive(Clone, Debug)]
pub struct FileVersion {
    /// The task, by the name of the file.
    pub task: TaskName,
    /// The SHA-256 of the component, in hexadecimal.
    pub digest: String,
    /// The component.
    pub component: Arc<[u8]>,
    /// Whether the file was there when the daemon started, or came or changed since.
    pub arrival: Arrival,
    /// The version that its author gave it.
    pub author_version: Option<String>,
}

/// A version that was checked: it compiles, it links, it describes itself, its grants are good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedVersion {
    /// The SHA-256 of the component, in hexadecimal.
    pub digest: String,
    /// The version that its author gave it.
    pub author_version: Option<String>,
}

/// The files say what is in service, and nothing is kept: for one job on the command line, and for tests.
#[derive(Default)]
pub(crate) struct FilesAlone(Mutex<BTreeMap<TaskName, TaskRecord>>);

#[async_trait]
impl Shelf for FilesAlone {
    async fn publish(&self, version: FileVersion) -> Result<Placement, HostError> {
        let FileVersion { task, digest, arrival, .. } = version;
        let record = TaskRecord::new(task.clone()).serving(digest, arrival.source(), arrival.reason());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(task, record);
        Ok(Placement::PutInService)
    }

    async fn tasks(&self) -> Result<Vec<TaskRecord>, HostError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect())
    }

    async fn component(&self, _: &TaskName, _: &str) -> Result<Option<Vec<u8>>, HostError> {
        Ok(None)
    }
}
