//! Cancel and retry.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use windlass_store::{CancelOutcome, RetryOutcome};

use super::read::whole;
use super::view::JobView;
use crate::code::ErrorCode;
use crate::extract::JobPath;
use crate::problem::{ApiError, Problem};
use crate::router::Api;
use crate::routes::no_such_job;

/// Cancels a job
///
/// A job that has not started is cancelled at once (200). One that runs is told, and after a grace period it is interrupted
/// (202): it is `running` until then. To ask twice for a running job changes nothing.
#[utoipa::path(
    post,
    path = "/api/v1/jobs/{id}/cancel",
    tag = "jobs",
    operation_id = "cancelJob",
    params(("id" = Uuid, Path, description = "The job.")),
    responses(
        (status = 200, description = "The job is cancelled.", body = JobView),
        (status = 202, description = "The job runs and has been told.", body = JobView),
        (status = 400, description = "The id is malformed.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such job, or it has been pruned.",
            body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The job is over.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn cancel_job(
    State(api): State<Api>,
    JobPath(id): JobPath,
) -> Result<(StatusCode, Json<JobView>), ApiError> {
    match api.handle.cancel(id).await? {
        CancelOutcome::Cancelled(job) => Ok((StatusCode::OK, Json(whole(&api, *job).await?))),
        CancelOutcome::Requested(job) => Ok((StatusCode::ACCEPTED, Json(whole(&api, *job).await?))),
        CancelOutcome::AlreadyOver(state) => {
            Err(ApiError::new(ErrorCode::JobFinished, format!("The job {id} is over: it is {state}.")))
        }
        CancelOutcome::NotFound => Err(no_such_job(id)),
    }
}

/// Retries a job
///
/// Makes the job available now, whatever its state, as long as it does not run, and sees to it that it has at least one
/// attempt left. The end of a job that was over is forgotten, with its output and its error; its history stays. It waits for
/// no other job any more, and does not expire.
#[utoipa::path(
    post,
    path = "/api/v1/jobs/{id}/retry",
    tag = "jobs",
    operation_id = "retryJob",
    params(("id" = Uuid, Path, description = "The job.")),
    responses(
        (status = 202, description = "The job is available.", body = JobView),
        (status = 400, description = "The id is malformed.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such job, or it has been pruned.",
            body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The job is running, or another one holds its unique key.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn retry_job(
    State(api): State<Api>,
    JobPath(id): JobPath,
) -> Result<(StatusCode, Json<JobView>), ApiError> {
    match api.handle.retry(id).await? {
        RetryOutcome::Retried(job) => Ok((StatusCode::ACCEPTED, Json(whole(&api, *job).await?))),
        RetryOutcome::Running => Err(ApiError::new(
            ErrorCode::JobRunning,
            format!("The job {id} is running: cancel it, or wait for its end."),
        )),
        RetryOutcome::Duplicate(holder) => {
            let detail = format!("The job {id} is over, and {holder} holds its unique key now.");
            Err(ApiError::new(ErrorCode::DuplicateJob, detail).with_job(holder))
        }
        RetryOutcome::NotFound => Err(no_such_job(id)),
    }
}
