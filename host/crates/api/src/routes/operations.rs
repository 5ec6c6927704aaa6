//! Cancels and retries of all jobs that match a filter.

use axum::Json;
use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderName, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windlass_model::{JobFilter, JobState, Operation, OperationId, OperationKind, QueueName, TaskName, Timestamp};

use super::jobs::JobStateView;
use crate::code::ErrorCode;
use crate::extract::{Json as Body, JsonBody, OperationPath};
use crate::problem::{ApiError, FieldError, Problem};
use crate::router::{API, Api};

/// Which jobs. What is absent does not narrow it; if nothing does, `all` must be true. Unknown fields are refused.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OperationFilter, example = json!({"state": ["discarded"], "task": "export-csv"}))]
pub(crate) struct FilterBody {
    /// In one of these states.
    #[schema(value_type = Option<Vec<JobStateView>>)]
    state: Option<Vec<JobState>>,
    /// Of this task.
    #[schema(value_type = Option<String>, example = "export-csv")]
    task: Option<TaskName>,
    /// Of this queue.
    #[schema(value_type = Option<String>)]
    queue: Option<QueueName>,
    /// With this tag.
    tag: Option<String>,
    /// Enqueued at this time or later.
    #[schema(value_type = Option<String>, format = DateTime)]
    created_from: Option<Timestamp>,
    /// Enqueued before this time.
    #[schema(value_type = Option<String>, format = DateTime)]
    created_before: Option<Timestamp>,
    /// Whether all jobs are meant, if nothing else is said.
    #[serde(default)]
    all: bool,
}

/// A cancel or a retry of many jobs, done in the background in bounded steps. Each job is done once. It can be looked up for a week
/// after its end.
#[derive(Serialize, ToSchema)]
#[schema(as = Operation)]
pub(crate) struct OperationView {
    /// Its id.
    #[schema(value_type = Uuid)]
    id: OperationId,
    /// What it does with the jobs.
    #[schema(value_type = OperationKindView)]
    kind: OperationKind,
    /// Which jobs it is about.
    filter: FilterView,
    /// How many jobs it has looked at.
    seen: u64,
    /// How many of these it has cancelled, told to stop, or made available. The others were over, or running, or another job holds
    /// their unique key.
    changed: u64,
    /// When it was asked for. Jobs that were enqueued later stay as they are.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it had looked at all jobs; null until then.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    finished_at: Option<Timestamp>,
}

/// What an operation does.
#[derive(ToSchema)]
#[schema(as = OperationKind, rename_all = "snake_case")]
#[expect(dead_code, reason = "only describes what the model's type writes")]
enum OperationKindView {
    /// Cancels jobs.
    Cancel,
    /// Makes jobs available.
    Retry,
}

/// Which jobs an operation is about; what is null does not narrow it.
#[derive(Serialize, ToSchema)]
#[schema(as = OperationJobs)]
struct FilterView {
    /// In one of these states; any if there are none.
    #[schema(value_type = Vec<JobStateView>)]
    state: Vec<JobState>,
    /// Of this task.
    #[schema(value_type = Option<String>, required = true)]
    task: Option<TaskName>,
    /// Of this queue.
    #[schema(value_type = Option<String>, required = true)]
    queue: Option<QueueName>,
    /// With this tag.
    #[schema(required = true)]
    tag: Option<String>,
    /// Enqueued at this time or later.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    created_from: Option<Timestamp>,
    /// Enqueued before this time.
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    created_before: Option<Timestamp>,
}

type Accepted = (StatusCode, [(HeaderName, String); 1], Json<OperationView>);

/// Cancels many jobs
///
/// All that match the filter and are there now, as the call on a single job does. Done in the background; the answer says where to
/// look.
#[utoipa::path(
    post,
    path = "/api/v1/jobs/cancel",
    tag = "jobs",
    operation_id = "cancelJobs",
    request_body(content = FilterBody),
    responses(
        (status = 202, description = "It will be done.", body = OperationView,
            headers(("Location" = String, description = "Where the operation can be looked up."))),
        (status = 400, description = "The body is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The content type is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is unknown or has a wrong value, or nothing narrows the filter and `all` is not true.",
            body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn cancel_jobs(State(api): State<Api>, Body(body): Body<FilterBody>) -> Result<Accepted, ApiError> {
    start(&api, OperationKind::Cancel, body).await
}

/// Retries many jobs
///
/// All that match the filter and are there now, as the call on a single job does. Done in the background; the answer says where to
/// look.
#[utoipa::path(
    post,
    path = "/api/v1/jobs/retry",
    tag = "jobs",
    operation_id = "retryJobs",
    request_body(content = FilterBody),
    responses(
        (status = 202, description = "It will be done.", body = OperationView,
            headers(("Location" = String, description = "Where the operation can be looked up."))),
        (status = 400, description = "The body is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The content type is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is unknown or has a wrong value, or nothing narrows the filter and `all` is not true.",
            body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn retry_jobs(State(api): State<Api>, Body(body): Body<FilterBody>) -> Result<Accepted, ApiError> {
    start(&api, OperationKind::Retry, body).await
}

/// Reads an operation
#[utoipa::path(
    get,
    path = "/api/v1/operations/{id}",
    tag = "jobs",
    operation_id = "getOperation",
    params(("id" = Uuid, Path, description = "The operation.")),
    responses(
        (status = 200, description = "The operation.", body = OperationView),
        (status = 400, description = "The id is malformed.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such operation, or it has been forgotten.",
            body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_operation(
    State(api): State<Api>,
    OperationPath(id): OperationPath,
) -> Result<Json<OperationView>, ApiError> {
    let operation = api.handle.operations().operation_get(id).await?.ok_or_else(|| {
        ApiError::new(
            ErrorCode::OperationNotFound,
            format!("There is no operation {id}. They are forgotten after a week."),
        )
    })?;
    Ok(Json(operation.into()))
}

async fn start(api: &Api, kind: OperationKind, body: FilterBody) -> Result<Accepted, ApiError> {
    let filter = body.check()?;
    let operation = api.handle.start_operation(kind, &filter).await?;
    let location = format!("{API}/operations/{}", operation.id);
    Ok((StatusCode::ACCEPTED, [(LOCATION, location)], Json(operation.into())))
}

impl JsonBody for FilterBody {
    const LIMIT: usize = 16 << 10;
}

impl FilterBody {
    fn check(self) -> Result<JobFilter, ApiError> {
        // No job is older than the epoch, and PostgreSQL does not keep all times before it.
        let since_epoch = |time: Timestamp| time.max(Timestamp::EPOCH);
        let filter = JobFilter {
            states: self.state.unwrap_or_default(),
            task: self.task,
            queue: self.queue,
            tag: self.tag,
            created_from: self.created_from.map(since_epoch),
            created_before: self.created_before.map(since_epoch),
            after: None,
        };
        let is_empty = filter == JobFilter::default();
        let fault = match (is_empty, self.all) {
            (true, false) => "nothing narrows the filter: say `\"all\": true` if all jobs are meant",
            (false, true) => "cannot stand together with a filter: leave it out, or leave out the rest",
            _ => return Ok(filter),
        };
        Err(ApiError::fields(ErrorCode::InvalidRequest, vec![FieldError::new("all", fault)]))
    }
}

impl From<Operation> for OperationView {
    fn from(operation: Operation) -> Self {
        let filter = operation.filter;
        Self {
            id: operation.id,
            kind: operation.kind,
            filter: FilterView {
                state: filter.states,
                task: filter.task,
                queue: filter.queue,
                tag: filter.tag,
                created_from: filter.created_from,
                created_before: filter.created_before,
            },
            seen: operation.seen,
            changed: operation.changed,
            created_at: operation.created_at,
            finished_at: operation.finished_at,
        }
    }
}
