//! The versions of tasks.

use async_trait::async_trait;
use serde::Serialize;
use uuid::Uuid;
use windlass_model::{
    ChangeReason, Placement, RollbackRefusal, TaskChange, TaskName, TaskRecord, Timestamp, VersionRecord,
    VersionSource, WorkerId, WorkerTask,
};

use super::write::Write;
use super::{SqlStore, clock};
use crate::StoreError;
use crate::dialect::Dialect;
use crate::record::record;
use crate::row::{number, parsed};
use crate::seam::{NewVersion, Published, Rollback, RollbackOutcome, VersionShelf};
use crate::statement;
use crate::value::{Time, Value};

/// How many entries of a task's history are kept.
const CHANGES_KEPT: u32 = 100;

record! {
    struct TaskRow {
        name: String,
        digest: Option<String>,
        previous_digest: Option<String>,
        is_pinned: i64,
        reason: Option<String>,
        source: Option<String>,
    }
}

record! {
    struct VersionRow {
        digest: String,
        bytes: i64,
        source: String,
        uploaded_at: Time,
        uploaded_by: Option<String>,
        author_version: Option<String>,
        is_kept: i64,
    }
}

record! {
    struct ChangeRow {
        at: Time,
        from_digest: Option<String>,
        to_digest: Option<String>,
        reason: String,
        message: String,
    }
}

record! {
    struct WorkerTaskRow {
        worker_id: Uuid,
        task: String,
        digest: Option<String>,
        load_error: Option<String>,
    }
}

#[derive(Serialize)]
struct NewWorkerTask<'a> {
    task: &'a str,
    digest: Option<&'a str>,
    load_error: Option<&'a str>,
}

#[async_trait]
impl<D: Dialect> VersionShelf for SqlStore<D> {
    async fn version_publish(&self, new: NewVersion<'_>, now: Option<Timestamp>) -> Result<Published, StoreError> {
        let mut write = self.write(now).await?;
        write.execute(statement::task_ensure, vec![new.task.as_str().into()]).await?;
        let record = write.task_held(new.task).await?.unwrap_or_else(|| TaskRecord::new(new.task.clone()));
        let known = write.version(new.task, new.digest).await?;
        let placement = record.place(new.digest, new.arrival, known.is_some());
        // What was sent once stays so, also if it is a file somewhere.
        let source = match known.as_ref().map(|known| known.source) {
            Some(VersionSource::Upload) => VersionSource::Upload,
            _ => new.arrival.source(),
        };
        let is_settled = known.as_ref().is_some_and(|known| known.is_kept && known.source == source);
        let writes_nothing = match placement {
            Placement::Superseded => true,
            Placement::InServiceAlready => is_settled,
            Placement::PutInService | Placement::HeldByPin => false,
        };
        if writes_nothing {
            return Ok(Published { placement, is_new: false, record });
        }
        write.keep(&new).await?;
        let record = match placement {
            Placement::PutInService => {
                let message = if known.is_some() { "an earlier version came again" } else { "a new version came" };
                let reason = new.arrival.reason();
                let next = record.clone().serving(new.digest.to_owned(), source, reason);
                write.change(&record, next, reason, message).await?
            }
            _ => write.task_held(new.task).await?.unwrap_or(record),
        };
        let values = vec![new.task.as_str().into(), new.keep.into()];
        write.execute(statement::task_component_prune, values).await?;
        write.changes.tasks = true;
        write.commit().await?;
        Ok(Published { placement, is_new: known.is_none(), record })
    }

    async fn task_rollback(
        &self,
        task: &TaskName,
        rollback: Rollback<'_>,
        now: Option<Timestamp>,
    ) -> Result<RollbackOutcome, StoreError> {
        let mut write = self.write(now).await?;
        let Some(record) = write.task_held(task).await? else { return Ok(RollbackOutcome::NotFound) };
        if rollback.expected.is_some_and(|expected| !record.may_roll_back_by_itself(expected)) {
            return Ok(RollbackOutcome::Refused(RollbackRefusal::Overtaken));
        }
        let target = match record.rollback_target(rollback.to) {
            Ok(target) => target,
            Err(refusal) => return Ok(RollbackOutcome::Refused(refusal)),
        };
        let Some(version) = write.version(task, &target).await?.filter(|version| version.is_kept) else {
            return Ok(RollbackOutcome::Refused(RollbackRefusal::NotKept(target)));
        };
        let next = record.clone().serving(target.clone(), version.source, rollback.reason);
        let values = vec![task.as_str().into(), target.as_str().into(), write.now.into()];
        write.execute(statement::task_version_use, values).await?;
        let record = write.change(&record, next, rollback.reason, rollback.message).await?;
        write.commit().await?;
        Ok(RollbackOutcome::RolledBack(record))
    }

    async fn task_pin(
        &self,
        task: &TaskName,
        is_pinned: bool,
        now: Option<Timestamp>,
    ) -> Result<Option<TaskRecord>, StoreError> {
        let mut write = self.write(now).await?;
        let Some(record) = write.task_held(task).await?.filter(|record| record.digest.is_some()) else {
            return Ok(None);
        };
        if record.is_pinned == is_pinned {
            return Ok(Some(record));
        }
        let (reason, message) = match is_pinned {
            true => (ChangeReason::Pin, "the version in service was pinned"),
            false => (ChangeReason::Unpin, "the pin was lifted"),
        };
        let next = TaskRecord { is_pinned, ..record.clone() };
        let record = write.change(&record, next, reason, message).await?;
        write.commit().await?;
        Ok(Some(record))
    }

    async fn task_delete(&self, task: &TaskName, now: Option<Timestamp>) -> Result<bool, StoreError> {
        let mut write = self.write(now).await?;
        let Some(record) = write.task_held(task).await? else { return Ok(false) };
        let freed = write.execute(statement::task_component_delete, vec![task.as_str().into()]).await?;
        if record.digest.is_none() && freed == 0 {
            return Ok(false);
        }
        let next = record.clone().deleted();
        write.change(&record, next, ChangeReason::Delete, "the task was taken out of service").await?;
        write.commit().await?;
        Ok(true)
    }

    async fn task_records(&self) -> Result<Vec<TaskRecord>, StoreError> {
        self.read::<TaskRow, TaskRecord>(statement::task_list, vec![Value::Text(None)]).await
    }

    async fn task_record(&self, task: &TaskName) -> Result<Option<TaskRecord>, StoreError> {
        Ok(self.read::<TaskRow, TaskRecord>(statement::task_list, vec![task.as_str().into()]).await?.pop())
    }

    async fn version_list(&self, task: &TaskName) -> Result<Vec<VersionRecord>, StoreError> {
        let values = vec![task.as_str().into(), Value::Text(None)];
        self.read::<VersionRow, VersionRecord>(statement::task_version_list, values).await
    }

    async fn version_component(&self, task: &TaskName, digest: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let values = vec![task.as_str().into(), digest.into()];
        let rows: Vec<(Vec<u8>,)> = self.read_rows(statement::task_component_load, values).await?;
        Ok(rows.into_iter().next().map(|(component,)| component))
    }

    async fn task_changes(&self, task: &TaskName, limit: u32) -> Result<Vec<TaskChange>, StoreError> {
        let values = vec![task.as_str().into(), limit.into()];
        self.read::<ChangeRow, TaskChange>(statement::task_change_list, values).await
    }

    async fn worker_tasks_save(&self, worker: WorkerId, tasks: &[WorkerTask]) -> Result<(), StoreError> {
        let mut write = self.write(None).await?;
        write.execute(statement::worker_task_delete, vec![worker.as_uuid().into()]).await?;
        let rows = tasks.iter().map(|task| NewWorkerTask {
            task: task.task.as_str(),
            digest: task.digest.as_deref(),
            load_error: task.load_error.as_deref(),
        });
        let values = vec![worker.as_uuid().into(), Value::json(&rows.collect::<Vec<_>>())];
        write.execute(statement::worker_task_insert, values).await?;
        write.commit().await
    }

    async fn worker_tasks(&self, task: &TaskName, now: Option<Timestamp>) -> Result<Vec<WorkerTask>, StoreError> {
        let fault = || statement::worker_task_list.fault();
        let mut connection = self.dialect.reader().await.map_err(fault())?;
        let now = clock(&self.dialect, &mut connection, now).await?;
        let values = vec![task.as_str().into(), now.into()];
        let rows: Vec<WorkerTaskRow> =
            self.dialect.fetch(&mut connection, statement::worker_task_list, values.into()).await.map_err(fault())?;
        rows.into_iter().map(WorkerTask::try_from).collect()
    }
}

impl<D: Dialect> Write<D> {
    async fn task_held(&mut self, task: &TaskName) -> Result<Option<TaskRecord>, StoreError> {
        let row = self.rows::<TaskRow>(statement::task_hold, vec![task.as_str().into()]).await?.pop();
        row.map(TaskRecord::try_from).transpose()
    }

    async fn version(&mut self, task: &TaskName, digest: &str) -> Result<Option<VersionRecord>, StoreError> {
        let values = vec![task.as_str().into(), digest.into()];
        let row = self.rows::<VersionRow>(statement::task_version_list, values).await?.pop();
        row.map(VersionRecord::try_from).transpose()
    }

    async fn keep(&mut self, new: &NewVersion<'_>) -> Result<(), StoreError> {
        let values = vec![
            new.task.as_str().into(),
            new.digest.into(),
            Value::count(new.component.len() as u64),
            new.arrival.source().as_str().into(),
            self.now.into(),
            new.uploaded_by.map(str::to_owned).into(),
            new.author_version.map(str::to_owned).into(),
        ];
        self.execute(statement::task_version_save, values).await?;
        let values = vec![new.task.as_str().into(), new.digest.into(), Value::Bytes(new.component.to_vec())];
        self.execute(statement::task_component_save, values).await.map(drop)
    }

    /// Writes down what a task is from now on, and why.
    async fn change(
        &mut self,
        before: &TaskRecord,
        after: TaskRecord,
        reason: ChangeReason,
        message: &str,
    ) -> Result<TaskRecord, StoreError> {
        let task = after.task.as_str();
        let values = vec![
            task.into(),
            after.digest.clone().into(),
            after.previous.clone().into(),
            u32::from(after.is_pinned).into(),
            after.reason.map(|reason| reason.as_str().to_owned()).into(),
        ];
        self.execute(statement::task_save, values).await?;
        let values = vec![
            task.into(),
            self.now.into(),
            before.digest.clone().into(),
            after.digest.clone().into(),
            reason.as_str().into(),
            message.into(),
        ];
        self.execute(statement::task_change_append, values).await?;
        self.execute(statement::task_change_prune, vec![task.into(), CHANGES_KEPT.into()]).await?;
        self.changes.tasks = true;
        Ok(after)
    }
}

impl TryFrom<TaskRow> for TaskRecord {
    type Error = StoreError;

    fn try_from(row: TaskRow) -> Result<Self, StoreError> {
        Ok(Self {
            task: parsed("name", &row.name)?,
            source: row.source.filter(|_| row.digest.is_some()).map(|source| parsed("source", &source)).transpose()?,
            digest: row.digest,
            previous: row.previous_digest,
            is_pinned: row.is_pinned != 0,
            reason: row.reason.map(|reason| parsed("reason", &reason)).transpose()?,
        })
    }
}

impl TryFrom<VersionRow> for VersionRecord {
    type Error = StoreError;

    fn try_from(row: VersionRow) -> Result<Self, StoreError> {
        Ok(Self {
            digest: row.digest,
            bytes: number("bytes", row.bytes)?,
            source: parsed("source", &row.source)?,
            uploaded_at: row.uploaded_at.0,
            uploaded_by: row.uploaded_by,
            author_version: row.author_version,
            is_kept: row.is_kept != 0,
        })
    }
}

impl TryFrom<ChangeRow> for TaskChange {
    type Error = StoreError;

    fn try_from(row: ChangeRow) -> Result<Self, StoreError> {
        Ok(Self {
            at: row.at.0,
            from: row.from_digest,
            to: row.to_digest,
            reason: parsed("reason", &row.reason)?,
            message: row.message,
        })
    }
}

impl TryFrom<WorkerTaskRow> for WorkerTask {
    type Error = StoreError;

    fn try_from(row: WorkerTaskRow) -> Result<Self, StoreError> {
        Ok(Self {
            worker: WorkerId::from_uuid(row.worker_id),
            task: parsed("task", &row.task)?,
            digest: row.digest,
            load_error: row.load_error,
        })
    }
}
