//! Queues: how much is in them, and what is set about them.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use windlass_model::{
    JobCounts, JobState, KeepTime, MaxRunning, Patch, QueueChange, QueueInfo, QueueKeep, QueueName, Rate, Timestamp,
};

use crate::code::ErrorCode;
use crate::extract::{Json as Body, JsonBody, QueuePath};
use crate::problem::{ApiError, FieldError, Problem};
use crate::router::Api;

/// The queues that are known.
#[derive(Serialize, ToSchema)]
#[schema(as = QueueList)]
pub(crate) struct QueueListView {
    /// By name.
    queues: Vec<QueueView>,
}

/// A queue. It is there from its first job or its first change on.
#[derive(Serialize, ToSchema)]
#[schema(as = Queue)]
pub(crate) struct QueueView {
    /// Its name.
    #[schema(value_type = String, example = "default")]
    name: QueueName,
    /// Since when none of its jobs is started; null if they are.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    paused_at: Option<Timestamp>,
    /// How many of its jobs may run at once, on all workers together; null if that is not limited.
    #[schema(value_type = Option<u32>, required = true)]
    max_running: Option<MaxRunning>,
    /// How many of its jobs with the same `concurrency_key` may run at once; null if that is not limited.
    #[schema(value_type = Option<u32>, required = true)]
    max_running_per_key: Option<MaxRunning>,
    /// How many of its jobs may start within a period; null if that is not limited.
    #[schema(required = true)]
    rate: Option<RateView>,
    /// How long its finished jobs are kept.
    keep_ms: KeepView,
    /// How many jobs it has in each state.
    jobs: CountsView,
    /// The `run_at` of the available job that has waited longest; null if none is available.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    oldest_available_at: Option<Timestamp>,
}

/// How many jobs may start within a period, whichever part of the time one looks at.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Rate)]
pub(crate) struct RateView {
    /// How many jobs.
    #[schema(minimum = 1, maximum = 100_000)]
    limit: u64,
    /// The period in milliseconds, up to a day.
    #[schema(minimum = 1, maximum = 86_400_000)]
    period_ms: u64,
}

/// For how many milliseconds finished jobs are kept, by state; null: as the daemon's settings say.
#[derive(Serialize, ToSchema)]
#[schema(as = QueueKeep)]
pub(crate) struct KeepView {
    /// Completed jobs.
    #[schema(required = true)]
    completed: Option<u64>,
    /// Discarded jobs.
    #[schema(required = true)]
    discarded: Option<u64>,
    /// Cancelled jobs.
    #[schema(required = true)]
    cancelled: Option<u64>,
}

/// How many jobs there are in each state.
#[derive(Serialize, ToSchema)]
#[schema(as = JobCounts)]
pub(crate) struct CountsView {
    /// Waiting for their `run_at`, or for other jobs.
    scheduled: u64,
    /// Ready to be started.
    available: u64,
    /// Running.
    running: u64,
    /// Waiting for their next attempt.
    retryable: u64,
    /// Ended well, and not pruned yet.
    completed: u64,
    /// Failed for good, and not pruned yet.
    discarded: u64,
    /// Cancelled, and not pruned yet.
    cancelled: u64,
}

/// A change of a queue (JSON Merge Patch, RFC 7386): an absent field stays as it is, null takes a limit away. Unknown fields are
/// refused.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QueuePatch, example = json!({"max_running": 10, "rate": {"limit": 100, "period_ms": 60_000}}))]
pub(crate) struct QueueBody {
    /// Pauses it, or lets it go on. Running jobs go on either way.
    paused: Option<bool>,
    /// How many of its jobs may run at once, 1 to 1,000,000.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000)]
    max_running: Option<Option<MaxRunning>>,
    /// How many of its jobs with the same `concurrency_key` may run at once, 1 to 1,000,000.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000)]
    max_running_per_key: Option<Option<MaxRunning>>,
    /// How many of its jobs may start within a period. Both fields of it at once.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<RateView>)]
    rate: Option<Option<RateView>>,
    /// How long its finished jobs are kept; null for the whole takes all three away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<KeepBody>)]
    keep_ms: Option<Option<KeepBody>>,
}

/// For how many milliseconds finished jobs are kept, up to ten years: an absent field stays as it is, null takes it away.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = QueueKeepPatch)]
pub(crate) struct KeepBody {
    /// Completed jobs.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u64>, maximum = 315_619_200_000_u64)]
    completed: Option<Option<u64>>,
    /// Discarded jobs.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u64>, maximum = 315_619_200_000_u64)]
    discarded: Option<Option<u64>>,
    /// Cancelled jobs.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u64>, maximum = 315_619_200_000_u64)]
    cancelled: Option<Option<u64>>,
}

/// How many jobs there are.
#[derive(Serialize, ToSchema)]
#[schema(as = Stats)]
pub(crate) struct StatsView {
    /// In each state, over all queues.
    jobs: CountsView,
}

/// Lists the queues
///
/// With how many jobs each has. The numbers are kept, not counted: this call does not become slower with the number of jobs.
#[utoipa::path(
    get,
    path = "/api/v1/queues",
    tag = "queues",
    operation_id = "listQueues",
    responses((status = 200, description = "The queues, by name.", body = QueueListView)),
)]
pub(crate) async fn list_queues(State(api): State<Api>) -> Result<Json<QueueListView>, ApiError> {
    let queues = api.handle.queues().queue_list().await?;
    Ok(Json(QueueListView { queues: queues.into_iter().map(QueueView::from).collect() }))
}

/// Reads a queue
#[utoipa::path(
    get,
    path = "/api/v1/queues/{name}",
    tag = "queues",
    operation_id = "getQueue",
    params(("name" = String, Path, description = "The queue's name.", example = "default")),
    responses(
        (status = 200, description = "The queue.", body = QueueView),
        (status = 404, description = "There is no such queue.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_queue(State(api): State<Api>, QueuePath(raw): QueuePath) -> Result<Json<QueueView>, ApiError> {
    let queue = match QueueName::parse(&raw) {
        Ok(name) => api.handle.queues().queue_get(&name).await?,
        Err(_) => None,
    };
    queue.map(|queue| Json(queue.into())).ok_or_else(|| no_such_queue(&raw))
}

/// Changes a queue
///
/// Pauses it, lets it go on, sets its limits and how long its finished jobs are kept. A queue that is not there is made, so that
/// limits may be set before its first job. A limit that is lower than what runs takes nothing away.
#[utoipa::path(
    patch,
    path = "/api/v1/queues/{name}",
    tag = "queues",
    operation_id = "changeQueue",
    params(("name" = String, Path, description = "The queue's name.", example = "default")),
    request_body(content((QueueBody = "application/merge-patch+json"), (QueueBody = "application/json"))),
    responses(
        (status = 200, description = "The queue as it is now.", body = QueueView),
        (status = 400, description = "The body is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No queue can have this name.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The content type is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is unknown or has a wrong value; `errors` names each.",
            body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn change_queue(
    State(api): State<Api>,
    QueuePath(raw): QueuePath,
    Body(body): Body<QueueBody>,
) -> Result<Json<QueueView>, ApiError> {
    let name = QueueName::parse(&raw).map_err(|fault| {
        ApiError::new(ErrorCode::QueueNotFound, format!("No queue can be called `{}`: {fault}.", shown(&raw)))
    })?;
    let change = body.check().map_err(|faults| ApiError::fields(ErrorCode::InvalidRequest, faults))?;
    Ok(Json(api.handle.change_queue(&name, &change).await?.into()))
}

/// Reads the numbers of jobs
///
/// They are kept, not counted: this call does not become slower with the number of jobs.
#[utoipa::path(
    get,
    path = "/api/v1/stats",
    tag = "queues",
    operation_id = "getStats",
    responses((status = 200, description = "How many jobs there are.", body = StatsView)),
)]
pub(crate) async fn get_stats(State(api): State<Api>) -> Result<Json<StatsView>, ApiError> {
    Ok(Json(StatsView { jobs: api.handle.queues().job_counts().await?.into() }))
}

fn no_such_queue(raw: &str) -> ApiError {
    ApiError::new(ErrorCode::QueueNotFound, format!("There is no queue `{}`.", shown(raw)))
}

fn shown(raw: &str) -> String {
    raw.chars().take(QueueName::MAX).collect()
}

impl JsonBody for QueueBody {
    const LIMIT: usize = 16 << 10;
    const CONTENT_TYPES: &'static [&'static str] = &["application/json", "application/merge-patch+json"];
}

impl QueueBody {
    /// Checks what the types do not say. All faults are named at once.
    fn check(self) -> Result<QueueChange, Vec<FieldError>> {
        let mut faults = Vec::new();
        let rate = patch(self.rate, |rate: RateView| Rate::new(rate.limit, rate.period_ms));
        let rate = rate.unwrap_or_else(|fault| {
            faults.push(FieldError::new("rate", fault.to_string()));
            Patch::Keep
        });
        // Null for the whole is null for each.
        let keep = self.keep_ms.map(|keep| {
            keep.unwrap_or(KeepBody { completed: Some(None), discarded: Some(None), cancelled: Some(None) })
        });
        let keep = keep.unwrap_or_default();
        let mut keep_time = |field: &str, value| {
            patch(value, KeepTime::from_millis).unwrap_or_else(|fault| {
                faults.push(FieldError::new(format!("keep_ms/{field}"), fault.to_string()));
                Patch::Keep
            })
        };
        let change = QueueChange {
            paused: self.paused,
            max_running: plain(self.max_running),
            max_running_per_key: plain(self.max_running_per_key),
            rate,
            keep_completed: keep_time("completed", keep.completed),
            keep_discarded: keep_time("discarded", keep.discarded),
            keep_cancelled: keep_time("cancelled", keep.cancelled),
        };
        if faults.is_empty() { Ok(change) } else { Err(faults) }
    }
}

fn plain<T>(value: Option<Option<T>>) -> Patch<T> {
    match value {
        None => Patch::Keep,
        Some(None) => Patch::Clear,
        Some(Some(value)) => Patch::Set(value),
    }
}

fn patch<T, U, E>(value: Option<Option<T>>, parse: impl FnOnce(T) -> Result<U, E>) -> Result<Patch<U>, E> {
    Ok(match value {
        None => Patch::Keep,
        Some(None) => Patch::Clear,
        Some(Some(value)) => Patch::Set(parse(value)?),
    })
}

/// Tells null from absent: serde only asks for what is there.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl From<QueueInfo> for QueueView {
    fn from(queue: QueueInfo) -> Self {
        let limits = queue.settings.limits;
        Self {
            name: queue.name,
            paused_at: queue.settings.paused_at,
            max_running: limits.max_running,
            max_running_per_key: limits.max_running_per_key,
            rate: limits.rate.map(|rate| RateView {
                limit: rate.limit().into(),
                period_ms: u64::try_from(rate.period().as_millis()).unwrap_or(u64::MAX),
            }),
            keep_ms: queue.settings.keep.into(),
            jobs: queue.counts.into(),
            oldest_available_at: queue.oldest_available_at,
        }
    }
}

impl From<QueueKeep> for KeepView {
    fn from(keep: QueueKeep) -> Self {
        Self {
            completed: keep.completed.map(KeepTime::as_millis),
            discarded: keep.discarded.map(KeepTime::as_millis),
            cancelled: keep.cancelled.map(KeepTime::as_millis),
        }
    }
}

impl From<JobCounts> for CountsView {
    fn from(counts: JobCounts) -> Self {
        Self {
            scheduled: counts.get(JobState::Scheduled),
            available: counts.get(JobState::Available),
            running: counts.get(JobState::Running),
            retryable: counts.get(JobState::Retryable),
            completed: counts.get(JobState::Completed),
            discarded: counts.get(JobState::Discarded),
            cancelled: counts.get(JobState::Cancelled),
        }
    }
}
