//! A job's life as it happens: server-sent events.

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use windlass_model::{EventKind, JobEvent, Progress, Timestamp};

use super::find_job;
use super::jobs::{JobStateView, stopping};
use crate::extract::{FromParams, JobPath, Params, Query};
use crate::follow::Follower;
use crate::problem::{ApiError, Problem};
use crate::router::Api;

/// What to follow.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FollowParams {
    /// Only what came after the event with this id, as the header `Last-Event-ID`, which goes before it.
    after: Option<u64>,
    /// Whether the job's log comes too; `false` if absent. It starts with its first line each time: `seq` tells which lines
    /// a client has already.
    #[param(value_type = Option<bool>)]
    logs: bool,
}

/// The data of a `state` event: the job went to another state.
#[derive(Serialize, ToSchema)]
#[schema(as = StateEvent)]
pub(crate) struct StateEventView {
    /// The state it went to.
    state: JobStateView,
    /// The number of the attempt that it belongs to; 0 before the first.
    attempt: u32,
    /// Why, where the state alone does not say it.
    #[schema(required = true)]
    reason: Option<String>,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// The data of a `step` event, which is kept, and of a `progress` event, which is not: how far the job is.
#[derive(Serialize, ToSchema)]
#[schema(as = ProgressEvent)]
pub(crate) struct ProgressEventView {
    /// Which step it is at, counted as its handler likes.
    #[schema(required = true)]
    task_step: Option<u32>,
    /// How far it is, from 0 to 100.
    #[schema(required = true, maximum = 100)]
    percent_complete: Option<u8>,
    /// What is going on, in words.
    #[schema(required = true)]
    status_info: Option<String>,
    /// The number of the attempt.
    attempt: u32,
    /// When it was told, or for `progress` when it was seen.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

/// Follows a job
///
/// A stream of server-sent events, which ends when the job is over. The data of each event is JSON:
///
/// - `state` (StateEvent) and `step` (ProgressEvent) are the job's history. They have an `id`, none of them is ever left out,
///   and after a broken connection the stream goes on where it stopped: send the last id as `Last-Event-ID`, as browsers do
///   by themselves.
/// - `progress` (ProgressEvent) tells of a percentage or a text that changed between two steps. It has no `id`; several
///   changes in a short time become one.
/// - `log` (LogLine), only with `?logs=true`.
/// - `end` (Job): the job is over, and this is how. The stream ends after it. Close an `EventSource` here, or it will connect
///   again.
///
/// A stream that ends without `end` was cut off: the daemon shut down, or the job was pruned. Comments keep it alive.
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}/events",
    tag = "jobs",
    operation_id = "followJob",
    params(
        ("id" = Uuid, Path, description = "The job."),
        FollowParams,
        ("Last-Event-ID" = Option<u64>, Header, nullable = false, description = "Only what came after the event with this id."),
    ),
    responses(
        (status = 200, description = "The events, from the start or from where the client was.",
            body = String, content_type = "text/event-stream"),
        (status = 400, description = "The id or a parameter is malformed.",
            body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such job, or it has been pruned.",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The daemon is shutting down.",
            body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn follow_job(
    State(api): State<Api>,
    JobPath(id): JobPath,
    Query(params): Query<FollowParams>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    // Else a client that connects again by itself would come back at once, for as long as the shutdown takes.
    if api.handle.stopping().is_cancelled() {
        return Err(stopping());
    }
    let after = last_event_id(&headers)?.or(params.after).unwrap_or(0);
    find_job(&api, id).await?;
    let keep_alive = KeepAlive::new().interval(api.settings.keep_alive);
    let follower = Follower::new(api, id, after, params.logs);
    // A stream that is pulled, not a task that pushes: when the client goes away, nothing is left.
    let events = stream::unfold(follower, |mut follower| async move {
        let event = follower.next().await?;
        Some((event, follower))
    });
    // nginx collects answers before it passes them on, unless it is told not to.
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(([unbuffered], Sse::new(events).keep_alive(keep_alive)).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, ApiError> {
    const NAME: HeaderName = HeaderName::from_static("last-event-id");
    let Some(value) = headers.get(NAME) else { return Ok(None) };
    match value.to_str().ok().and_then(|value| value.parse().ok()) {
        Some(seq) => Ok(Some(seq)),
        None => Err(ApiError::wrong_parameter("Last-Event-ID", "is not the id of an event of this stream: a number")),
    }
}

impl FromParams for FollowParams {
    const KNOWN: &'static [&'static str] = &["after", "logs"];

    fn from_params(params: &mut Params) -> Self {
        Self { after: params.one("after"), logs: params.one("logs").unwrap_or(false) }
    }
}

/// The data of an event of the history, with its name.
pub(crate) enum HistoryView {
    State(StateEventView),
    Step(ProgressEventView),
}

impl From<JobEvent> for HistoryView {
    fn from(event: JobEvent) -> Self {
        let JobEvent { at, attempt, kind, seq: _ } = event;
        match kind {
            EventKind::State { state, reason } => {
                Self::State(StateEventView { state: state.into(), attempt, reason, at })
            }
            EventKind::Step(progress) => Self::Step(ProgressEventView::new(progress, attempt, at)),
        }
    }
}

impl ProgressEventView {
    pub(crate) fn new(progress: Progress, attempt: u32, at: Timestamp) -> Self {
        let Progress { percent_complete, task_step, status_info } = progress;
        Self { task_step, percent_complete, status_info, attempt, at }
    }
}
