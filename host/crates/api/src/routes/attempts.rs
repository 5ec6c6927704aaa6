//! A job's attempts.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use windlass_model::{Attempt, Timestamp, WorkerId};

use super::find_job;
use super::jobs::{BillView, ErrorView, duration_ms};
use crate::extract::JobPath;
use crate::problem::{ApiError, Problem};
use crate::router::Api;

/// The attempts of a job.
#[derive(Serialize, ToSchema)]
#[schema(as = AttemptList)]
pub(crate) struct AttemptListView {
    /// In order; the one that runs is the last and has no end.
    attempts: Vec<AttemptView>,
}

/// One run of a job.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(crate) struct AttemptView {
    /// Its number. A number is seen again after a snooze, a shutdown or a crash: none of them costs an attempt.
    attempt: u32,
    /// The lease that it ran under: unique within the job.
    lease: u64,
    /// The worker that ran it.
    #[schema(value_type = Uuid)]
    worker_id: WorkerId,
    /// The SHA-256 of the component that ran, if it came so far.
    #[schema(required = true)]
    plugin_digest: Option<String>,
    /// When it started.
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// When it ended; null while it runs.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    ended_at: Option<Timestamp>,
    /// Milliseconds that it took; null while it runs.
    #[schema(required = true)]
    duration_ms: Option<u64>,
    /// Why it did not end well, if it did not.
    #[schema(required = true)]
    error: Option<ErrorView>,
    /// What it used; null while it runs, and if its handler never started or its worker died.
    #[schema(required = true)]
    bill: Option<BillView>,
}

/// Lists a job's attempts
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}/attempts",
    tag = "jobs",
    operation_id = "listAttempts",
    params(("id" = Uuid, Path, description = "The job.")),
    responses(
        (status = 200, description = "The attempts so far, in order.", body = AttemptListView),
        (status = 400, description = "The id is malformed.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such job, or it has been pruned.",
            body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_attempts(
    State(api): State<Api>,
    JobPath(id): JobPath,
) -> Result<Json<AttemptListView>, ApiError> {
    find_job(&api, id).await?;
    let attempts = api.handle.directory().attempt_list(id).await?;
    Ok(Json(AttemptListView { attempts: attempts.into_iter().map(AttemptView::from).collect() }))
}

impl From<Attempt> for AttemptView {
    fn from(attempt: Attempt) -> Self {
        Self {
            attempt: attempt.attempt,
            lease: attempt.lease,
            worker_id: attempt.worker_id,
            plugin_digest: attempt.plugin_digest,
            started_at: attempt.started_at,
            ended_at: attempt.ended_at,
            duration_ms: duration_ms(Some(attempt.started_at), attempt.ended_at),
            error: attempt.error.map(ErrorView::from),
            bill: attempt.bill.map(BillView::from),
        }
    }
}
