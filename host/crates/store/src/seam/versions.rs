//! The versions of tasks: which are kept, which is in service, who serves what.

use async_trait::async_trait;
use windlass_model::{
    Arrival, ChangeReason, Placement, RollbackRefusal, TaskChange, TaskName, TaskRecord, Timestamp, VersionRecord,
    WorkerId, WorkerTask,
};

use crate::StoreError;

/// A version that came by a file or by an upload. Whoever hands it in has seen it load.
#[derive(Clone, Copy, Debug)]
pub struct NewVersion<'a> {
    /// The task.
    pub task: &'a TaskName,
    /// The SHA-256 of the component, in hexadecimal.
    pub digest: &'a str,
    /// The component.
    pub component: &'a [u8],
    /// How it came.
    pub arrival: Arrival,
    /// Who sent it, as far as is known.
    pub uploaded_by: Option<&'a str>,
    /// The version that its author gave it.
    pub author_version: Option<&'a str>,
    /// How many components of the task are kept, beside the one in service and the one before it.
    pub keep: u32,
}

/// What became of a version that came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// What was decided.
    pub placement: Placement,
    /// Whether the task had not had this version before.
    pub is_new: bool,
    /// The task as it is then.
    pub record: TaskRecord,
}

/// A wish to go back.
#[derive(Clone, Copy, Debug)]
pub struct Rollback<'a> {
    /// To which version; to the one before if absent.
    pub to: Option<&'a str>,
    /// The version that must be in service still; whichever is, if absent. With it only a version that may roll back by itself does.
    pub expected: Option<&'a str>,
    /// Why.
    pub reason: ChangeReason,
    /// In words.
    pub message: &'a str,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RollbackOutcome {
    /// The task as it is then.
    RolledBack(TaskRecord),
    /// It stays as it is.
    Refused(RollbackRefusal),
    /// The task has never had a version.
    NotFound,
}

/// The versions of tasks. What is in service is one row for each task, the same for all daemons; whatever changes it is one
/// transaction that holds this row, has an entry in the task's history, and is told to the other daemons.
#[async_trait]
pub trait VersionShelf: Send + Sync {
    /// Keeps a version and, if `TaskRecord::place` says so, puts it in service. One that changes nothing writes nothing; a component
    /// that had been freed is kept again. Of the components beyond `keep` those that were used longest ago are freed. May be repeated.
    async fn version_publish(&self, new: NewVersion<'_>, now: Option<Timestamp>) -> Result<Published, StoreError>;

    /// Puts an earlier version in service, if `TaskRecord::rollback_target` allows it and its component is kept. With
    /// `expected` only as long as that one is in service and `TaskRecord::may_roll_back_by_itself`: of many that ask at once
    /// one does it.
    async fn task_rollback(
        &self,
        task: &TaskName,
        rollback: Rollback<'_>,
        now: Option<Timestamp>,
    ) -> Result<RollbackOutcome, StoreError>;

    /// Pins the version in service, or lifts the pin, and returns the task; `None` if nothing of it is in service. One that is so
    /// already stays as it is, without an entry in its history.
    async fn task_pin(
        &self,
        task: &TaskName,
        is_pinned: bool,
        now: Option<Timestamp>,
    ) -> Result<Option<TaskRecord>, StoreError>;

    /// Takes a task out of service, lifts its pin and frees its components. What is known of its versions stays, so that a file
    /// of one of them does not bring it back. Returns whether something was in service or kept.
    async fn task_delete(&self, task: &TaskName, now: Option<Timestamp>) -> Result<bool, StoreError>;

    /// All tasks that ever had a version, by name.
    async fn task_records(&self) -> Result<Vec<TaskRecord>, StoreError>;

    /// One of them.
    async fn task_record(&self, task: &TaskName) -> Result<Option<TaskRecord>, StoreError>;

    /// The versions that are known of a task, the one that was used last first.
    async fn version_list(&self, task: &TaskName) -> Result<Vec<VersionRecord>, StoreError>;

    /// A component; `None` if it is not kept.
    async fn version_component(&self, task: &TaskName, digest: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// The newest entries of a task's history, the newest first. Not more than the last 100 are kept.
    async fn task_changes(&self, task: &TaskName, limit: u32) -> Result<Vec<TaskChange>, StoreError>;

    /// Writes down what a worker serves, all of it, in place of what was written before. Of a worker that is not there nothing is
    /// written, and what was goes with a worker that is forgotten.
    async fn worker_tasks_save(&self, worker: WorkerId, tasks: &[WorkerTask]) -> Result<(), StoreError>;

    /// What the workers whose lease lasts serve of a task, in the order of their start.
    async fn worker_tasks(&self, task: &TaskName, now: Option<Timestamp>) -> Result<Vec<WorkerTask>, StoreError>;
}
