//! Cancels and retries of many jobs.

use std::collections::HashSet;

use async_trait::async_trait;
use uuid::Uuid;
use windlass_model::{JobFilter, JobId, JobState, Operation, OperationId, OperationKind, Timestamp};

use super::directory::list_values;
use super::write::{Unwanted, Write};
use super::{Races, SqlStore};
use crate::StoreError;
use crate::dialect::Dialect;
use crate::record::record;
use crate::row::{json, number, parsed};
use crate::seam::{OperationStep, Operations, RetryOutcome};
use crate::statement;
use crate::value::{Time, Value, as_json};

/// How many jobs one step does.
const STEP: u32 = 200;

/// How many jobs one step looks through for them: what matches may be rare.
const WINDOW: u32 = 5_000;

record! {
    struct OperationRow {
        id: Uuid,
        kind: String,
        filter: String,
        cursor: Option<Uuid>,
        seen: i64,
        changed: i64,
        created_at: Time,
        finished_at: Option<Time>,
    }
}

/// A job that an operation comes to.
struct Met {
    id: JobId,
    state: JobState,
    lease: u64,
}

/// What became of the jobs of a page.
#[derive(Default)]
struct Done {
    changed: Vec<JobId>,
    to_stop: Vec<(JobId, u64)>,
}

#[async_trait]
impl<D: Dialect> Operations for SqlStore<D> {
    async fn operation_start(
        &self,
        id: OperationId,
        kind: OperationKind,
        filter: &JobFilter,
        now: Option<Timestamp>,
    ) -> Result<Operation, StoreError> {
        let mut write = self.write(now).await?;
        let values = vec![id.as_uuid().into(), kind.as_str().into(), as_json(filter).as_str().into(), write.now.into()];
        write.execute(statement::operation_insert, values).await?;
        let created_at = write.now;
        write.commit().await?;
        Ok(Operation { id, kind, filter: filter.clone(), seen: 0, changed: 0, created_at, finished_at: None })
    }

    async fn operation_get(&self, id: OperationId) -> Result<Option<Operation>, StoreError> {
        Ok(self.read::<OperationRow, Operation>(statement::operation_get, vec![id.as_uuid().into()]).await?.pop())
    }

    async fn operation_step(&self, now: Option<Timestamp>) -> Result<Option<OperationStep>, StoreError> {
        let mut races = Races::default();
        loop {
            let answer = self.step_once(now).await;
            if !races.lost(&answer) {
                return answer;
            }
        }
    }
}

#[expect(private_bounds, reason = "which databases there are is decided in this crate")]
impl<D: Dialect> SqlStore<D> {
    async fn step_once(&self, now: Option<Timestamp>) -> Result<Option<OperationStep>, StoreError> {
        let mut write = self.write(now).await?;
        let row = write.rows::<OperationRow>(statement::operation_take, Vec::new()).await?.pop();
        let Some(row) = row else { return Ok(None) };
        let after = row.cursor.map(JobId::from_uuid);
        let mut operation = Operation::try_from(row)?;
        // Up to its own time: the list's bound is the first time that is left out.
        let until = operation.created_at.plus(std::time::Duration::from_micros(1));
        let filter = JobFilter {
            after,
            created_before: Some(operation.filter.created_before.map_or(until, |before| before.min(until))),
            ..operation.filter.clone()
        };
        let (met, cursor) = write.next_page(&filter).await?;
        let done = match operation.kind {
            OperationKind::Cancel => write.cancel_page(&met).await?,
            OperationKind::Retry => write.retry_page(&met).await?,
        };
        let (seen, changed) = (met.len() as u64, done.changed.len() as u64);
        operation.seen += seen;
        operation.changed += changed;
        operation.finished_at = cursor.is_none().then_some(write.now);
        let values = vec![
            operation.id.as_uuid().into(),
            Value::Id(cursor),
            Value::count(seen),
            Value::count(changed),
            operation.finished_at.into(),
        ];
        write.execute(statement::operation_move, values).await?;
        write.commit().await?;
        Ok(Some(OperationStep { operation, changed: done.changed, to_stop: done.to_stop }))
    }
}

impl<D: Dialect> Write<D> {
    /// The jobs that come next and where the step after this one goes on, if there is one.
    async fn next_page(&mut self, filter: &JobFilter) -> Result<(Vec<Met>, Option<Uuid>), StoreError> {
        let after = Value::Id(filter.after.map(JobId::as_uuid));
        let window: Vec<(Uuid,)> = self.rows(statement::operation_window, vec![after, (WINDOW - 1).into()]).await?;
        let until = window.first().map(|(id,)| *id);
        let mut values = list_values(filter, STEP);
        values.push(Value::Id(until));
        let rows: Vec<(Uuid, String, i64)> = self.rows(statement::operation_page, values).await?;
        let is_full = rows.len() >= STEP as usize;
        let cursor = if is_full { rows.last().map(|(id, ..)| *id) } else { until };
        let met = |(id, state, lease): (Uuid, String, i64)| {
            Ok(Met { id: JobId::from_uuid(id), state: parsed("state", &state)?, lease: number("lease", lease)? })
        };
        Ok((rows.into_iter().map(met).collect::<Result<_, StoreError>>()?, cursor))
    }

    async fn cancel_page(&mut self, met: &[Met]) -> Result<Done, StoreError> {
        let unwanted: Vec<_> = met.iter().map(|job| Unwanted::by_hand(job.id)).collect();
        let mut done = Done { changed: self.cancel(&unwanted).await?, ..Done::default() };
        let cancelled: HashSet<_> = done.changed.iter().copied().collect();
        for job in met.iter().filter(|job| !job.state.is_final() && !cancelled.contains(&job.id)) {
            if self.request_cancel(job.id).await? {
                done.changed.push(job.id);
                done.to_stop.push((job.id, job.lease));
            }
        }
        Ok(done)
    }

    async fn retry_page(&mut self, met: &[Met]) -> Result<Done, StoreError> {
        let mut done = Done::default();
        for job in met {
            if let RetryOutcome::Retried(job) = self.retry(job.id).await? {
                done.changed.push(job.id);
            }
        }
        Ok(done)
    }
}

impl TryFrom<OperationRow> for Operation {
    type Error = StoreError;

    fn try_from(row: OperationRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: OperationId::from_uuid(row.id),
            kind: parsed("kind", &row.kind)?,
            filter: json("filter", &row.filter)?,
            seen: number("seen", row.seen)?,
            changed: number("changed", row.changed)?,
            created_at: row.created_at.0,
            finished_at: row.finished_at.map(|time| time.0),
        })
    }
}
