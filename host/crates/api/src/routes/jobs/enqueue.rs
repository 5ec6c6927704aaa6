//! Enqueue one job.

use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use windlass_model::Idempotency;

use super::body::EnqueueBody;
use super::idempotency::{idempotency, replayed};
use super::refusal::{Sent, refusal};
use super::view::JobView;
use crate::code::ErrorCode;
use crate::extract::{parse_json, read_body};
use crate::problem::{ApiError, Problem};
use crate::router::{API, Api};

/// The largest body, in bytes: room for the largest arguments with the rest, and for white space.
const BODY_MAX: usize = 2 << 20;

/// Enqueues a job
///
/// When this answers 202, the job is durable: it survives a crash of the daemon. With `deduplicated: true` it is one that was
/// there before, which holds the same unique key.
///
/// With the header `Idempotency-Key` a request may be sent again, by a client that never saw the answer: for a day it gets the
/// same answer, with the header `Idempotency-Replayed: true`, and nothing is enqueued. The same key with another body is refused.
#[utoipa::path(
    post,
    path = "/api/v1/jobs",
    tag = "jobs",
    operation_id = "enqueueJob",
    params(("Idempotency-Key" = Option<String>, Header, max_length = 255, description = "A name for this request that its \
        client never uses for another one, for instance a UUID.")),
    request_body = EnqueueBody,
    responses(
        (status = 202, description = "The job is durable.", body = JobView,
            headers(
                ("Location" = String, description = "The path of the job."),
                ("Idempotency-Replayed" = bool, description = "`true` if this is the answer to an earlier request."),
            )),
        (status = 400, description = "The body is not JSON, or the header `Idempotency-Key` cannot be used.",
            body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such task; `nearest` has the most similar names.",
            body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The task is not in service (`detail` says why), or its unique key is held and `mode` is \
            `reject` (`job_id` holds it).",
            body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body has more than 2 MiB.",
            body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The content type is not application/json.",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is unknown or has a wrong value, the arguments do not fit the task's schema, \
            or the idempotency key was used for another request; `errors` names each field.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The daemon is overloaded or shutting down; nothing was enqueued. Try again after \
            `Retry-After` seconds.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn enqueue(
    State(api): State<Api>,
    SentJob { body, idempotency }: SentJob,
) -> Result<impl IntoResponse, ApiError> {
    let request =
        body.check(api.handle.now(), "").map_err(|faults| ApiError::fields(ErrorCode::InvalidRequest, faults))?;
    let enqueued =
        api.handle.enqueue(vec![request], idempotency).await.map_err(|error| refusal(&api, Sent::One, error))?;
    let headers = replayed(enqueued.is_repeated);
    let added = enqueued.jobs.into_iter().next();
    let added = added.ok_or_else(|| ApiError::internal("the engine returned no job for one request"))?;
    let location = format!("{API}/jobs/{}", added.job.id);
    Ok((StatusCode::ACCEPTED, [(LOCATION, location)], headers, axum::Json(JobView::added(added))))
}

/// One job as it was sent.
pub(crate) struct SentJob {
    body: EnqueueBody,
    idempotency: Option<Idempotency>,
}

impl<S: Send + Sync> FromRequest<S> for SentJob {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (headers, path) = (request.headers().clone(), request.uri().path().to_owned());
        let (_, bytes) = read_body(request, &["application/json"], BODY_MAX).await?;
        Ok(Self { idempotency: idempotency(&headers, &path, &bytes)?, body: parse_json(&bytes)? })
    }
}
