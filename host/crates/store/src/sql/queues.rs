//! What people see of queues, and what they set about them.

use std::collections::HashMap;

use async_trait::async_trait;
use windlass_model::{
    JobCounts, JobState, KeepTime, MaxRunning, QueueChange, QueueInfo, QueueKeep, QueueLimits, QueueName,
    QueueSettings, Rate, Timestamp,
};

use super::SqlStore;
use crate::StoreError;
use crate::dialect::Dialect;
use crate::record::{Cells, Record, record};
use crate::row::{corrupt, parsed};
use crate::seam::QueueBoard;
use crate::statement;
use crate::value::{Time, Value};

record! {
    struct SettingsRow {
        paused_at: Option<Time>,
        max_running: Option<i64>,
        max_running_per_key: Option<i64>,
        rate_limit: Option<i64>,
        rate_period_ms: Option<i64>,
        keep_completed_ms: Option<i64>,
        keep_discarded_ms: Option<i64>,
        keep_cancelled_ms: Option<i64>,
    }
}

#[derive(sqlx::FromRow)]
struct QueueRow {
    name: String,
    #[sqlx(flatten)]
    settings: SettingsRow,
    oldest_available_at: Option<Time>,
}

impl Record for QueueRow {
    fn read(cells: &mut Cells<'_, '_>) -> rusqlite::Result<Self> {
        Ok(Self {
            name: cells.named("name")?,
            settings: SettingsRow::read(cells)?,
            oldest_available_at: cells.named("oldest_available_at")?,
        })
    }
}

#[async_trait]
impl<D: Dialect> QueueBoard for SqlStore<D> {
    async fn queue_list(&self) -> Result<Vec<QueueInfo>, StoreError> {
        self.queues(None).await
    }

    async fn queue_get(&self, name: &QueueName) -> Result<Option<QueueInfo>, StoreError> {
        Ok(self.queues(Some(name)).await?.pop())
    }

    async fn queue_change(
        &self,
        name: &QueueName,
        change: &QueueChange,
        now: Option<Timestamp>,
    ) -> Result<QueueInfo, StoreError> {
        let mut write = self.write(now).await?;
        write.execute(statement::queue_ensure, vec![Value::json(&[name])]).await?;
        let row = write.rows::<SettingsRow>(statement::queue_hold, vec![name.as_str().into()]).await?.pop();
        let settings = row.map(QueueSettings::try_from).transpose()?.unwrap_or_default();
        let settings = settings.after(change, write.now);
        write.execute(statement::queue_save, values(name, &settings)).await?;
        // What a pause or a limit held back may start now, on any host.
        write.changes.available = true;
        write.commit().await?;
        // Queues stay, so it is there.
        let info = self.queue_get(name).await?;
        info.ok_or_else(|| StoreError::raced(statement::queue_list.name))
    }

    async fn job_counts(&self) -> Result<JobCounts, StoreError> {
        let mut total = JobCounts::default();
        for counts in self.counts(None).await?.into_values() {
            JobState::ALL.into_iter().for_each(|state| total.add(state, counts.get(state)));
        }
        Ok(total)
    }
}

#[expect(private_bounds, reason = "which databases there are is decided in this crate")]
impl<D: Dialect> SqlStore<D> {
    async fn queues(&self, only: Option<&QueueName>) -> Result<Vec<QueueInfo>, StoreError> {
        let rows: Vec<QueueRow> =
            self.read_rows(statement::queue_list, vec![only.map(ToString::to_string).into()]).await?;
        let mut counts = self.counts(only).await?;
        let info = |row: QueueRow| {
            Ok(QueueInfo {
                counts: counts.remove(&row.name).unwrap_or_default(),
                name: parsed("name", &row.name)?,
                settings: row.settings.try_into()?,
                oldest_available_at: row.oldest_available_at.map(|time| time.0),
            })
        };
        rows.into_iter().map(info).collect()
    }

    async fn counts(&self, only: Option<&QueueName>) -> Result<HashMap<String, JobCounts>, StoreError> {
        let rows: Vec<(String, String, i64)> =
            self.read_rows(statement::job_counts, vec![only.map(ToString::to_string).into()]).await?;
        let mut counts: HashMap<String, JobCounts> = HashMap::new();
        for (queue, state, jobs) in rows {
            let jobs = u64::try_from(jobs).map_err(|_| corrupt("jobs", jobs))?;
            counts.entry(queue).or_default().add(parsed("state", &state)?, jobs);
        }
        Ok(counts)
    }
}

impl TryFrom<SettingsRow> for QueueSettings {
    type Error = StoreError;

    fn try_from(row: SettingsRow) -> Result<Self, StoreError> {
        let rate = match row.rate_limit.zip(row.rate_period_ms) {
            Some((limit, period)) => Some(rate(limit, period).ok_or_else(|| corrupt("rate_limit", limit))?),
            None => None,
        };
        Ok(Self {
            paused_at: row.paused_at.map(|time| time.0),
            limits: QueueLimits {
                max_running: max_running("max_running", row.max_running)?,
                max_running_per_key: max_running("max_running_per_key", row.max_running_per_key)?,
                rate,
            },
            keep: QueueKeep {
                completed: keep_time("keep_completed_ms", row.keep_completed_ms)?,
                discarded: keep_time("keep_discarded_ms", row.keep_discarded_ms)?,
                cancelled: keep_time("keep_cancelled_ms", row.keep_cancelled_ms)?,
            },
        })
    }
}

fn values(name: &QueueName, settings: &QueueSettings) -> Vec<Value> {
    let QueueSettings { paused_at, limits, keep } = settings;
    let jobs = |max: Option<MaxRunning>| Value::Int(max.map(|max| i64::from(max.get())));
    let millis = |keep: Option<KeepTime>| Value::Int(keep.and_then(|keep| i64::try_from(keep.as_millis()).ok()));
    vec![
        name.as_str().into(),
        (*paused_at).into(),
        jobs(limits.max_running),
        jobs(limits.max_running_per_key),
        Value::Int(limits.rate.map(|rate| i64::from(rate.limit()))),
        Value::Int(limits.rate.and_then(|rate| i64::try_from(rate.period().as_millis()).ok())),
        millis(keep.completed),
        millis(keep.discarded),
        millis(keep.cancelled),
    ]
}

fn max_running(column: &'static str, value: Option<i64>) -> Result<Option<MaxRunning>, StoreError> {
    value.map(|max| MaxRunning::try_from(max).map_err(|_| corrupt(column, max))).transpose()
}

fn rate(limit: i64, period_ms: i64) -> Option<Rate> {
    Rate::new(u64::try_from(limit).ok()?, u64::try_from(period_ms).ok()?).ok()
}

fn keep_time(column: &'static str, value: Option<i64>) -> Result<Option<KeepTime>, StoreError> {
    let read = |millis: i64| KeepTime::from_millis(u64::try_from(millis).ok()?).ok();
    value.map(|millis| read(millis).ok_or_else(|| corrupt(column, millis))).transpose()
}
