//! The versions of tasks: what the sandbox asks of them, and what people command.

use std::sync::Arc;

use bytes::Bytes;
use tracing::{info, warn};
use windlass_model::{Arrival, ChangeReason, Placement, TaskChange, TaskName, TaskRecord, VersionRecord, WorkerTask};
use windlass_store::{NewVersion, Published, Rollback, RollbackOutcome, StoreError, VersionShelf};

use crate::handle::Handle;
use crate::port::{CheckedVersion, VersionFault};
use crate::stores::Stores;

/// How many entries of a task's history are shown.
const CHANGES_SHOWN: u32 = 20;

/// The versions of tasks, as they are in the database. Cheap to clone.
#[derive(Clone)]
pub struct Versions {
    shelf: Arc<dyn VersionShelf>,
    /// How many components of a task are kept, beside the one in service and the one before it.
    keep: u32,
}

/// What is known of a task's versions.
#[derive(Clone, Debug)]
pub struct VersionHistory {
    /// What is in service.
    pub record: TaskRecord,
    /// The versions, the one that was used last first.
    pub versions: Vec<VersionRecord>,
    /// What was changed, the newest first.
    pub changes: Vec<TaskChange>,
}

/// Why a component that was sent was not taken.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// It cannot be served; why, in words for its author.
    #[error("{0}")]
    Refused(String),
    /// The daemon could not look into it: not the component's fault.
    #[error("the daemon could not check it: {0}")]
    Host(String),
    /// The daemon shuts down.
    #[error("the daemon shuts down")]
    Stopping,
    /// The database failed; nothing was kept.
    #[error("the database failed")]
    Store(#[source] StoreError),
}

impl Versions {
    /// The versions in these stores. `keep`: how many components of a task are kept, beside the one in service and the one before.
    #[must_use]
    pub fn new(stores: &Stores, keep: u32) -> Self {
        Self { shelf: stores.versions.clone(), keep }
    }

    /// Takes in what a file of the plugins directory holds.
    pub async fn publish_file(
        &self,
        task: &TaskName,
        checked: &CheckedVersion,
        component: &[u8],
        arrival: Arrival,
    ) -> Result<Placement, StoreError> {
        Ok(self.publish(task, checked, component, arrival, None).await?.placement)
    }

    /// What is in service of each task.
    pub async fn tasks(&self) -> Result<Vec<TaskRecord>, StoreError> {
        self.shelf.task_records().await
    }

    /// A component; `None` if it is not kept.
    pub async fn component(&self, task: &TaskName, digest: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.shelf.version_component(task, digest).await
    }

    async fn publish(
        &self,
        task: &TaskName,
        checked: &CheckedVersion,
        component: &[u8],
        arrival: Arrival,
        uploaded_by: Option<&str>,
    ) -> Result<Published, StoreError> {
        let new = NewVersion {
            task,
            digest: &checked.digest,
            component,
            arrival,
            uploaded_by,
            author_version: checked.author_version.as_deref(),
            keep: self.keep,
        };
        let published = self.shelf.version_publish(new, None).await?;
        let digest = short(&checked.digest);
        match (published.placement, published.is_new) {
            (Placement::PutInService, _) => {
                info!(task.name = %task, plugin.digest = checked.digest, "Version {digest} of `{task}` is in service from now on")
            }
            (Placement::HeldByPin, _) => {
                warn!(task.name = %task, plugin.digest = checked.digest, "Version {digest} of `{task}` is kept and not in service: the task is pinned")
            }
            (Placement::InServiceAlready | Placement::Superseded, _) => (),
        }
        Ok(published)
    }

    /// Goes back from a version whose first attempts all trapped. Only as long as it is in service, and not for ever to and fro.
    pub(crate) async fn roll_back_by_itself(
        &self,
        task: &TaskName,
        digest: &str,
        attempts: u32,
    ) -> Result<RollbackOutcome, StoreError> {
        let message = match attempts {
            1 => "its first attempt trapped".to_owned(),
            attempts => format!("its first {attempts} attempts trapped"),
        };
        let reason = ChangeReason::AutoRollback;
        let rollback = Rollback { to: None, expected: Some(digest), reason, message: &message };
        let outcome = self.shelf.task_rollback(task, rollback, None).await?;
        if let RollbackOutcome::RolledBack(record) = &outcome {
            let (from, to) = (short(digest), record.digest.as_deref().map(short).unwrap_or_default());
            warn!(task.name = %task, plugin.digest = digest,
                "Version {from} of `{task}` was rolled back to {to} by itself: {message}");
        }
        Ok(outcome)
    }
}

/// The start of a digest, for people.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

impl Handle {
    /// Checks a component that somebody sent and, if it can be served, keeps it and puts it in service. When it returns, it is
    /// served here, and the other daemons have been told. One that is in service already changes nothing.
    pub async fn upload(
        &self,
        task: &TaskName,
        component: Bytes,
        uploaded_by: Option<&str>,
    ) -> Result<(Published, String), UploadError> {
        if self.stopping.is_cancelled() {
            return Err(UploadError::Stopping);
        }
        let checked = self.runner.check_version(task, component.clone()).await.map_err(|fault| match fault {
            VersionFault::Component(text) => UploadError::Refused(text),
            VersionFault::Host(text) => UploadError::Host(text),
        })?;
        let published = self.versions.publish(task, &checked, &component, Arrival::Uploaded, uploaded_by);
        let published = published.await.map_err(UploadError::Store)?;
        self.runner.refresh().await;
        Ok((published, checked.digest))
    }

    /// Puts an earlier version in service: the one before, or the one that is named.
    pub async fn roll_back(&self, task: &TaskName, to: Option<&str>) -> Result<RollbackOutcome, StoreError> {
        let reason = ChangeReason::Rollback;
        let rollback = Rollback { to, expected: None, reason, message: "somebody went back to an earlier version" };
        let outcome = self.versions.shelf.task_rollback(task, rollback, None).await?;
        if matches!(outcome, RollbackOutcome::RolledBack(_)) {
            info!(task.name = %task, "`{task}` was rolled back by hand");
            self.runner.refresh().await;
        }
        Ok(outcome)
    }

    /// Pins the version in service, or lifts the pin. `None` if nothing of the task is in service.
    pub async fn pin(&self, task: &TaskName, is_pinned: bool) -> Result<Option<TaskRecord>, StoreError> {
        self.versions.shelf.task_pin(task, is_pinned, None).await
    }

    /// Takes a task out of service on all daemons and frees its components. Waiting jobs wait. Returns whether there was something.
    pub async fn delete_task(&self, task: &TaskName) -> Result<bool, StoreError> {
        let is_deleted = self.versions.shelf.task_delete(task, None).await?;
        if is_deleted {
            info!(task.name = %task, "`{task}` was deleted: it is out of service, and its components are freed");
            self.runner.refresh().await;
        }
        Ok(is_deleted)
    }

    /// What is in service of a task by the database's word; `None` if it has never had a version.
    pub async fn task_record(&self, task: &TaskName) -> Result<Option<TaskRecord>, StoreError> {
        self.versions.shelf.task_record(task).await
    }

    /// What the living workers serve of a task.
    pub async fn worker_tasks(&self, task: &TaskName) -> Result<Vec<WorkerTask>, StoreError> {
        self.versions.shelf.worker_tasks(task, None).await
    }

    /// What is known of a task's versions; `None` if it has never had one.
    pub async fn version_history(&self, task: &TaskName) -> Result<Option<VersionHistory>, StoreError> {
        let shelf = &self.versions.shelf;
        let Some(record) = shelf.task_record(task).await? else { return Ok(None) };
        let versions = shelf.version_list(task).await?;
        let changes = shelf.task_changes(task, CHANGES_SHOWN).await?;
        Ok(Some(VersionHistory { record, versions, changes }))
    }

    /// How large a component may be, in bytes.
    #[must_use]
    pub fn component_max(&self) -> u64 {
        self.runner.component_max()
    }
}
