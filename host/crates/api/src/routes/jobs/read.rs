//! Read one job, at once or when it is over.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use utoipa::IntoParams;
use windlass_model::{Job, JobId, JobState};
use windlass_store::StoreError;

use super::view::JobView;
use crate::extract::{FromParams, JobPath, Params, Query};
use crate::pace::{Pace, Woken};
use crate::problem::{ApiError, Problem};
use crate::router::Api;
use crate::routes::find_job;
use crate::span::Span;

/// How to read a job.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReadParams {
    /// Answer when the job comes to a final state, or after this time with the job as it is then: `500ms`, `30s`, `2m`; at
    /// most 5 minutes. Absent: answer at once.
    #[param(value_type = Option<String>, example = "30s")]
    wait: Option<Span>,
}

impl FromParams for ReadParams {
    const KNOWN: &'static [&'static str] = &["wait"];

    fn from_params(params: &mut Params) -> Self {
        Self { wait: params.one("wait") }
    }
}

/// Reads a job
///
/// With `?wait=30s` the answer comes as soon as the job is over (`completed`, `discarded` or `cancelled`), and otherwise when
/// the time is over or the daemon shuts down: look at `state`.
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}",
    tag = "jobs",
    operation_id = "getJob",
    params(("id" = Uuid, Path, description = "The job."), ReadParams),
    responses(
        (status = 200, description = "The job.", body = JobView),
        (status = 400, description = "The id or the wait is malformed.",
            body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such job, or it has been pruned.",
            body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_job(
    State(api): State<Api>,
    JobPath(id): JobPath,
    Query(params): Query<ReadParams>,
) -> Result<Json<JobView>, ApiError> {
    let job = match params.wait {
        None => find_job(&api, id).await?,
        Some(wait) => wait_for(&api, id, wait).await?,
    };
    Ok(Json(whole(&api, job).await?))
}

/// A job with the files it left behind.
pub(crate) async fn whole(api: &Api, job: Job) -> Result<JobView, StoreError> {
    let artifacts = match job.state {
        JobState::Completed => api.handle.directory().artifact_list(job.id).await?,
        _ => Vec::new(),
    };
    Ok(JobView::whole(job, artifacts))
}

async fn wait_for(api: &Api, id: JobId, Span(wait): Span) -> Result<Job, ApiError> {
    let longest = api.settings.longest_wait;
    if wait > longest {
        let message = format!("is at most {} s", longest.as_secs());
        return Err(ApiError::wrong_parameter("wait", message));
    }
    let deadline = tokio::time::Instant::now() + wait;
    let mut pace = Pace::new(&api.handle, id, api.settings.poll_every, Duration::ZERO);
    loop {
        let job = find_job(api, id).await?;
        if job.state.is_final() {
            return Ok(job);
        }
        match tokio::time::timeout_at(deadline, pace.wait_for_end(&api.handle)).await {
            Ok(Woken::Look) => (),
            Ok(Woken::Stopping) => return Ok(job),
            // The job as it is now, not as it was at the last hint.
            Err(_) => return find_job(api, id).await,
        }
    }
}
