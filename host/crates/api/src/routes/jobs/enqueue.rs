//! Enqueue one job.

use axum::extract::{FromRequestParts, State};
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::response::IntoResponse;

use super::body::EnqueueBody;
use super::refusal::{Sent, refusal};
use super::view::JobView;
use crate::code::ErrorCode;
use crate::extract::Json;
use crate::problem::{ApiError, Problem};
use crate::router::{API, Api};

/// Enqueues a job
///
/// When this answers 202, the job is durable: it survives a crash of the daemon.
#[utoipa::path(
    post,
    path = "/api/v1/jobs",
    tag = "jobs",
    operation_id = "enqueueJob",
    request_body = EnqueueBody,
    responses(
        (status = 202, description = "The job is durable.", body = JobView,
            headers(("Location" = String, description = "The path of the job."))),
        (status = 400, description = "The body is not JSON, or the header `Idempotency-Key` was sent.",
            body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such task; `nearest` has the most similar names.",
            body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The task is not in service; `detail` says why.",
            body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body has more than 2 MiB.",
            body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The content type is not application/json.",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is unknown or has a wrong value, or the arguments do not fit the task's schema; \
            `errors` names each field.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The daemon is overloaded or shutting down; nothing was enqueued. Try again after \
            `Retry-After` seconds.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn enqueue(
    State(api): State<Api>,
    _: NoIdempotencyKey,
    Json(body): Json<EnqueueBody>,
) -> Result<impl IntoResponse, ApiError> {
    let request =
        body.check(api.handle.now(), "").map_err(|faults| ApiError::fields(ErrorCode::InvalidRequest, faults))?;
    let jobs = api.handle.enqueue(vec![request]).await.map_err(|error| refusal(&api, Sent::One, error))?;
    let job =
        jobs.into_iter().next().ok_or_else(|| ApiError::internal("the engine returned no job for one request"))?;
    let location = format!("{API}/jobs/{}", job.id);
    Ok((StatusCode::ACCEPTED, [(LOCATION, location)], axum::Json(JobView::whole(job, Vec::new()))))
}

/// Refuses a request with an `Idempotency-Key`. To ignore the key would be to break a promise that the client counts on.
pub(crate) struct NoIdempotencyKey;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

impl<S: Send + Sync> FromRequestParts<S> for NoIdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        if parts.headers.contains_key(IDEMPOTENCY_KEY) {
            let detail = "This version does not know the header Idempotency-Key. Nothing was enqueued.";
            return Err(ApiError::new(ErrorCode::IdempotencyKeyNotSupported, detail));
        }
        Ok(Self)
    }
}
