//! Jobs that come after others.

use std::collections::HashMap;

use serde::Serialize;
use uuid::Uuid;
use windlass_model::{JobId, JobState};

use super::write::{NewEvent, Unwanted, Write};
use crate::StoreError;
use crate::dialect::Dialect;
use crate::statement;
use crate::value::{Rows, Value, hex};

/// How many dependents one transaction sees to. The rest is upkeep's, so that no finish is long.
const DEPENDENTS_MAX: usize = 1_000;

/// A dependency that is not settled: the job, the one that it comes after, and whether it may run now.
type OpenRow = (Uuid, Uuid, bool);

/// One job that comes after another.
#[derive(Serialize)]
pub(super) struct Dependency {
    pub(super) job_id: String,
    pub(super) on_id: String,
}

#[derive(Serialize)]
struct Released {
    id: String,
    met: usize,
}

fn ids(jobs: &[JobId]) -> Value {
    Value::json(&jobs.iter().map(|id| hex(id.as_uuid())).collect::<Vec<_>>())
}

impl<D: Dialect> Write<D> {
    /// Sees to what comes after jobs that have ended, and after those that are cancelled by that in turn.
    pub(super) async fn settle(&mut self, ended: Vec<JobId>) -> Result<(), StoreError> {
        let open = self.open(&ended, DEPENDENTS_MAX).await?;
        self.settle_open(ended, open).await
    }

    async fn open(&mut self, ended: &[JobId], room: usize) -> Result<Vec<OpenRow>, StoreError> {
        match ended.is_empty() {
            true => Ok(Vec::new()),
            false => self.rows(statement::dependency_open, vec![ids(ended), Value::count(room as u64)]).await,
        }
    }

    /// Forgets what was kept for jobs while an attempt ran, and sees to what comes after those of them that are over, which is said
    /// beside each.
    pub(super) async fn tidy_and_settle(&mut self, ended: &[(JobId, bool)]) -> Result<(), StoreError> {
        let row = |(id, is_over): &(JobId, bool)| {
            [id.as_uuid().into(), i64::from(*is_over).into(), Value::count(DEPENDENTS_MAX as u64)]
        };
        let mut open = self.rows(statement::attempt_tidy, Rows::of(ended.iter().map(row))).await?;
        // Each row of SQLite's may return as many.
        open.truncate(DEPENDENTS_MAX);
        let over = ended.iter().filter(|(_, is_over)| *is_over).map(|(id, _)| *id).collect();
        self.settle_open(over, open).await
    }

    async fn settle_open(&mut self, mut ended: Vec<JobId>, mut open: Vec<OpenRow>) -> Result<(), StoreError> {
        let mut room = DEPENDENTS_MAX;
        while !open.is_empty() {
            if open.len() == room {
                self.execute(statement::dependencies_due_insert, vec![ids(&ended)]).await?;
            }
            room -= open.len();
            ended = self.settle_all(open).await?;
            open = self.open(&ended, room).await?;
            // Whether there are any cannot be told without room to find one.
            if room == 0 && !ended.is_empty() {
                self.execute(statement::dependencies_due_insert, vec![ids(&ended)]).await?;
            }
        }
        Ok(())
    }

    /// Returns the jobs that were cancelled because of it.
    async fn settle_all(&mut self, open: Vec<OpenRow>) -> Result<Vec<JobId>, StoreError> {
        let dependency = |(job, on, _): &OpenRow| Dependency { job_id: hex(*job), on_id: hex(*on) };
        let settled: Vec<_> = open.iter().map(dependency).collect();
        self.execute(statement::dependency_settle, vec![Value::json(&settled)]).await?;

        let mut met = HashMap::<Uuid, usize>::new();
        let mut unwanted = Vec::new();
        for (job, on, is_met) in open {
            if is_met {
                *met.entry(job).or_default() += 1;
            } else {
                let reason = format!("job {on}, which it comes after, did not complete");
                unwanted.push(Unwanted::new(JobId::from_uuid(job), reason));
            }
        }
        self.release(met).await?;
        self.end_waiting(&unwanted).await
    }

    async fn release(&mut self, met: HashMap<Uuid, usize>) -> Result<(), StoreError> {
        if met.is_empty() {
            return Ok(());
        }
        let mut rows: Vec<_> = met.into_iter().map(|(id, met)| Released { id: hex(id), met }).collect();
        rows.sort_by(|one, other| one.id.cmp(&other.id));
        let values = vec![Value::json(&rows), self.now.into()];
        let released: Vec<(Uuid, String)> = self.rows(statement::job_release, values).await?;
        let is_available = |(_, state): &(Uuid, String)| state == JobState::Available.as_str();
        self.changes.scheduled |= !released.iter().all(is_available);
        let available = released.into_iter().filter(is_available);
        let events: Vec<_> =
            available.map(|(id, _)| NewEvent::state(JobId::from_uuid(id), 0, JobState::Available, None)).collect();
        self.append_events(&events).await
    }
}
