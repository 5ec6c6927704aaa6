//! Reading the books.

use async_trait::async_trait;
use uuid::Uuid;
use windlass_model::{JobId, JobState, QueueName, Timestamp, WorkerId};

use super::{SqlStore, clock};
use crate::StoreError;
use crate::dialect::Dialect;
use crate::record::record;
use crate::row::{number, parsed};
use crate::seam::{Ledger, Lifecycle, SliceSpans, Slices};
use crate::statement;
use crate::value::Value;

#[async_trait]
impl<D: Dialect> Ledger for SqlStore<D> {
    async fn clock(&self) -> Result<Timestamp, StoreError> {
        let mut connection = self.dialect.reader().await.map_err(|source| StoreError::new("clock", source))?;
        clock(&self.dialect, &mut connection, None).await
    }

    async fn lifecycles(&self, queue: &QueueName) -> Result<Vec<Lifecycle>, StoreError> {
        self.read::<LifecycleRow, Lifecycle>(statement::ledger_lifecycles, vec![queue.as_str().into()]).await
    }

    async fn spans(
        &self,
        queue: &QueueName,
        from: Option<Timestamp>,
        slices: Slices,
    ) -> Result<Vec<SliceSpans>, StoreError> {
        let values = vec![queue.as_str().into(), from.into(), slices.start.into(), Value::count(slices.micros.max(1))];
        self.read::<SpansRow, SliceSpans>(statement::ledger_spans, values).await
    }

    async fn shares(&self, queue: &QueueName) -> Result<Vec<(WorkerId, u64)>, StoreError> {
        let rows: Vec<(Uuid, i64)> = self.read_rows(statement::ledger_shares, vec![queue.as_str().into()]).await?;
        rows.into_iter().map(|(id, count)| Ok((WorkerId::from_uuid(id), number("attempts", count)?))).collect()
    }

    async fn settings(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.read_rows(statement::ledger_settings, Vec::new()).await
    }
}

record! {
    struct LifecycleRow {
        jobs: i64,
        example: Uuid,
        state: String,
        lease: i64,
        has_output: bool,
        attempts: i64,
        attempt_lease: Option<i64>,
        failures: i64,
        waiting_entries: i64,
        running_entries: i64,
        completed_entries: i64,
        other_entries: i64,
    }
}

impl TryFrom<LifecycleRow> for Lifecycle {
    type Error = StoreError;

    fn try_from(row: LifecycleRow) -> Result<Self, StoreError> {
        Ok(Self {
            jobs: number("jobs", row.jobs)?,
            example: JobId::from_uuid(row.example),
            state: parsed::<JobState>("state", &row.state)?,
            lease: number("lease", row.lease)?,
            has_output: row.has_output,
            attempts: number("attempts", row.attempts)?,
            attempt_lease: row.attempt_lease.map(|lease| number("attempt_lease", lease)).transpose()?,
            failures: number("failures", row.failures)?,
            waiting_entries: number("waiting_entries", row.waiting_entries)?,
            running_entries: number("running_entries", row.running_entries)?,
            completed_entries: number("completed_entries", row.completed_entries)?,
            other_entries: number("other_entries", row.other_entries)?,
        })
    }
}

record! {
    struct SpansRow {
        slice: i64,
        jobs: i64,
        p50: i64,
        p99: i64,
        longest: i64,
    }
}

impl TryFrom<SpansRow> for SliceSpans {
    type Error = StoreError;

    fn try_from(row: SpansRow) -> Result<Self, StoreError> {
        Ok(Self {
            slice: row.slice,
            jobs: number("jobs", row.jobs)?,
            p50_micros: row.p50,
            p99_micros: row.p99,
            max_micros: row.longest,
        })
    }
}
