//! The versions of tasks: upload, list, roll back, pin, delete.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use windlass_engine::{UploadError, VersionHistory};
use windlass_model::{
    ChangeReason, Placement, RollbackRefusal, TaskChange, TaskName, Timestamp, VersionRecord, VersionSource,
};
use windlass_store::RollbackOutcome;

use super::jobs::{stopping, unknown_task};
use super::tasks::{TaskDetailView, detail};
use crate::code::ErrorCode;
use crate::extract::{TaskPath, parse_json, read_body};
use crate::problem::{ApiError, FieldError, Problem};
use crate::router::Api;

/// How large the body of a command may be: it names one digest.
const COMMAND_LIMIT: usize = 1_024;

/// What became of a component that was sent.
#[derive(Serialize, ToSchema)]
#[schema(as = UploadedVersion)]
pub(crate) struct UploadedView {
    /// The SHA-256 of the component, in hexadecimal.
    digest: String,
    /// Whether it is in service now. If not, the task is pinned to another version.
    in_service: bool,
    /// The task as it is then on the daemon that answers.
    task: TaskDetailView,
}

/// The versions of a task, and what was changed about it.
#[derive(Serialize, ToSchema)]
#[schema(as = TaskVersionList)]
pub(crate) struct VersionListView {
    /// The version in service; null if the task was deleted.
    #[schema(required = true)]
    in_service: Option<String>,
    /// Where a rollback goes if it names nothing; null if there is no version before.
    #[schema(required = true)]
    previous: Option<String>,
    /// Whether the version in service is pinned.
    pinned: bool,
    /// The versions that are kept, the one that was used last first.
    versions: Vec<KeptVersionView>,
    /// The last changes, the newest first.
    changes: Vec<ChangeView>,
}

/// A version that is kept, so that it can be put in service.
#[derive(Serialize, ToSchema)]
#[schema(as = KeptVersion)]
pub(crate) struct KeptVersionView {
    /// The SHA-256 of the component, in hexadecimal.
    digest: String,
    /// The size of the component.
    bytes: u64,
    /// By which way it came.
    #[schema(value_type = VersionSourceSchema)]
    source: VersionSource,
    /// When it came first.
    #[schema(value_type = String, format = DateTime)]
    uploaded_at: Timestamp,
    /// Who sent it; null if that is not known.
    #[schema(required = true)]
    uploaded_by: Option<String>,
    /// The version that its author gave it.
    #[schema(required = true, example = "1.4.0")]
    author_version: Option<String>,
    /// Whether it is in service.
    in_service: bool,
    /// Whether it is in service and pinned.
    pinned: bool,
}

/// By which way a version came: a file of a plugins directory, which is served where the file is, or an upload, which every
/// daemon serves.
#[derive(ToSchema)]
#[schema(as = VersionSource, rename_all = "snake_case")]
#[expect(dead_code, reason = "only describes what the model's type writes")]
enum VersionSourceSchema {
    Directory,
    Upload,
}

/// An entry of a task's history.
#[derive(Serialize, ToSchema)]
#[schema(as = TaskChange)]
pub(crate) struct ChangeView {
    /// When.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What was in service before.
    #[schema(required = true)]
    from: Option<String>,
    /// What has been in service from then on.
    #[schema(required = true)]
    to: Option<String>,
    /// Why.
    #[schema(value_type = ChangeReasonSchema)]
    reason: ChangeReason,
    /// In words.
    message: String,
}

/// Why a task was changed.
#[derive(ToSchema)]
#[schema(as = TaskChangeReason, rename_all = "snake_case")]
#[expect(dead_code, reason = "only describes what the model's type writes")]
enum ChangeReasonSchema {
    Directory,
    Upload,
    Rollback,
    AutoRollback,
    Pin,
    Unpin,
    Delete,
}

/// Where to go back to.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RollbackRequest)]
pub(crate) struct RollbackBody {
    /// The digest of the version; the one that was in service before if absent.
    digest: Option<String>,
}

/// Nothing to say.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NoFields)]
pub(crate) struct NoFieldsBody {}

/// Uploads a version
///
/// The body is the component. It is compiled, linked and asked to describe itself, and its grants are checked, before anything is kept;
/// then it is in service on every daemon, unless the task is pinned. The version that is in service already is answered with 200
/// and changes nothing. Jobs that run end on the version that they started with.
#[utoipa::path(
    put,
    path = "/api/v1/tasks/{name}",
    tag = "tasks",
    operation_id = "uploadTask",
    params(("name" = String, Path, description = "The task's name.", example = "export-csv")),
    request_body(content = Vec<u8>, content_type = "application/wasm", description = "The component."),
    responses(
        (status = 200, description = "The version was known.", body = UploadedView),
        (status = 201, description = "The version is new.", body = UploadedView),
        (status = 413, description = "The component is too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The content type is not application/wasm.",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The component cannot be served, and `detail` says why; or no task can have this name.",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The daemon could not check it now. Nothing was kept; try again.",
            body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn upload_task(
    State(api): State<Api>,
    TaskPath(raw): TaskPath,
    request: Request,
) -> Result<(StatusCode, Json<UploadedView>), ApiError> {
    let task = TaskName::parse(&raw).map_err(|fault| {
        ApiError::fields(ErrorCode::InvalidRequest, vec![FieldError::new("name", fault.to_string())])
    })?;
    // Each holds a component in memory until it is in the database.
    let _turn = api.uploads.acquire().await.map_err(ApiError::internal)?;
    let limit = usize::try_from(api.handle.component_max()).unwrap_or(usize::MAX);
    let (_, component) = read_body(request, &["application/wasm"], limit).await?;
    let (published, digest) = api.handle.upload(&task, component, None).await.map_err(refused)?;
    let in_service = matches!(published.placement, Placement::PutInService | Placement::InServiceAlready);
    let status = if published.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let task = detail(&api, &task).await?.ok_or_else(|| unknown_task(&api, &raw))?;
    Ok((status, Json(UploadedView { digest, in_service, task })))
}

/// Lists the versions of a task
///
/// Those that can be put in service, and the last changes. The bytes of older ones have been freed.
#[utoipa::path(
    get,
    path = "/api/v1/tasks/{name}/versions",
    tag = "tasks",
    operation_id = "listTaskVersions",
    params(("name" = String, Path, description = "The task's name.", example = "export-csv")),
    responses(
        (status = 200, description = "The versions.", body = VersionListView),
        (status = 404, description = "The task has never had a version.",
            body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_versions(
    State(api): State<Api>,
    TaskPath(raw): TaskPath,
) -> Result<Json<VersionListView>, ApiError> {
    let task = named(&api, &raw)?;
    let history = api.handle.version_history(&task).await?;
    history.map(|history| Json(history.into())).ok_or_else(|| unknown_task(&api, &raw))
}

/// Puts an earlier version in service
///
/// The one that was in service before, or the one that the body names. A second rollback without a digest comes back.
#[utoipa::path(
    post,
    path = "/api/v1/tasks/{name}/rollback",
    tag = "tasks",
    operation_id = "rollBackTask",
    params(("name" = String, Path, description = "The task's name.", example = "export-csv")),
    request_body(content = RollbackBody, description = "May be empty; the content type must be said all the same."),
    responses(
        (status = 200, description = "The versions as they are now.", body = VersionListView),
        (status = 400, description = "The body is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The task has never had a version, or the one that was named is not kept.",
            body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The task is pinned, there is no version before, or the version is in service already.",
            body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The content type is not JSON.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A field is unknown.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn roll_back_task(
    State(api): State<Api>,
    TaskPath(raw): TaskPath,
    request: Request,
) -> Result<Json<VersionListView>, ApiError> {
    let body: RollbackBody = command(request).await?;
    let task = named(&api, &raw)?;
    match api.handle.roll_back(&task, body.digest.as_deref()).await? {
        RollbackOutcome::RolledBack(_) => history(&api, &task, &raw).await,
        RollbackOutcome::NotFound => Err(unknown_task(&api, &raw)),
        RollbackOutcome::Refused(refusal) => {
            let code = match refusal {
                RollbackRefusal::Pinned => ErrorCode::TaskPinned,
                RollbackRefusal::NoVersionBefore => ErrorCode::NoVersionBefore,
                RollbackRefusal::NotKept(_) => ErrorCode::VersionNotFound,
                RollbackRefusal::InServiceAlready(_) | RollbackRefusal::Overtaken => ErrorCode::VersionInService,
            };
            Err(ApiError::new(code, format!("`{task}` was not rolled back: {refusal}.")))
        }
    }
}

/// Pins the version in service
///
/// New files and uploads are kept and do not go into service, and nothing is rolled back, until the pin is lifted.
#[utoipa::path(
    post,
    path = "/api/v1/tasks/{name}/pin",
    tag = "tasks",
    operation_id = "pinTask",
    params(("name" = String, Path, description = "The task's name.", example = "export-csv")),
    request_body(content = NoFieldsBody, description = "May be empty; the content type must be said all the same."),
    responses(
        (status = 200, description = "The versions as they are now.", body = VersionListView),
        (status = 404, description = "The task has never had a version.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "No version of it is in service.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The content type is not JSON.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn pin_task(
    State(api): State<Api>,
    TaskPath(raw): TaskPath,
    request: Request,
) -> Result<Json<VersionListView>, ApiError> {
    let NoFieldsBody {} = command(request).await?;
    pin(&api, &raw, true).await
}

/// Lifts a pin
///
/// What was kept meanwhile does not go into service by itself: roll back to it by its digest.
#[utoipa::path(
    post,
    path = "/api/v1/tasks/{name}/unpin",
    tag = "tasks",
    operation_id = "unpinTask",
    params(("name" = String, Path, description = "The task's name.", example = "export-csv")),
    request_body(content = NoFieldsBody, description = "May be empty; the content type must be said all the same."),
    responses(
        (status = 200, description = "The versions as they are now.", body = VersionListView),
        (status = 404, description = "The task has never had a version.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "No version of it is in service.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The content type is not JSON.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn unpin_task(
    State(api): State<Api>,
    TaskPath(raw): TaskPath,
    request: Request,
) -> Result<Json<VersionListView>, ApiError> {
    let NoFieldsBody {} = command(request).await?;
    pin(&api, &raw, false).await
}

/// Deletes a task
///
/// It is out of service on every daemon, its pin is lifted, and its components are freed. Waiting jobs wait, running ones go on. A file of
/// a plugins directory does not bring it back before it changes.
#[utoipa::path(
    delete,
    path = "/api/v1/tasks/{name}",
    tag = "tasks",
    operation_id = "deleteTask",
    params(("name" = String, Path, description = "The task's name.", example = "export-csv")),
    responses(
        (status = 204, description = "It is out of service."),
        (status = 404, description = "There is nothing to delete.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn delete_task(State(api): State<Api>, TaskPath(raw): TaskPath) -> Result<StatusCode, ApiError> {
    let task = named(&api, &raw)?;
    match api.handle.delete_task(&task).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(unknown_task(&api, &raw)),
    }
}

fn named(api: &Api, raw: &str) -> Result<TaskName, ApiError> {
    TaskName::parse(raw).map_err(|_| unknown_task(api, raw))
}

/// A body of JSON that may be empty. Its content type is demanded all the same: a web page of another origin can send a POST without
/// one unasked.
async fn command<T: serde::de::DeserializeOwned + Default>(request: Request) -> Result<T, ApiError> {
    let (_, body) = read_body(request, &["application/json"], COMMAND_LIMIT).await?;
    if body.is_empty() { Ok(T::default()) } else { parse_json(&body) }
}

async fn pin(api: &Api, raw: &str, is_pinned: bool) -> Result<Json<VersionListView>, ApiError> {
    let task = named(api, raw)?;
    if api.handle.pin(&task, is_pinned).await?.is_some() {
        return history(api, &task, raw).await;
    }
    Err(match api.handle.task_record(&task).await? {
        Some(_) => ApiError::new(ErrorCode::TaskNotLoaded, format!("No version of `{task}` is in service.")),
        None => unknown_task(api, raw),
    })
}

async fn history(api: &Api, task: &TaskName, raw: &str) -> Result<Json<VersionListView>, ApiError> {
    let history = api.handle.version_history(task).await?;
    history.map(|history| Json(history.into())).ok_or_else(|| unknown_task(api, raw))
}

fn refused(error: UploadError) -> ApiError {
    match error {
        UploadError::Refused(text) => ApiError::new(ErrorCode::InvalidComponent, text),
        UploadError::Host(cause) => {
            ApiError::new(ErrorCode::Overloaded, "The daemon could not check the component now. Try again in a moment.")
                .with_retry_after(5)
                .because(cause)
        }
        UploadError::Stopping => stopping(),
        UploadError::Store(fault) => fault.into(),
    }
}

impl From<VersionHistory> for VersionListView {
    fn from(history: VersionHistory) -> Self {
        let VersionHistory { record, versions, changes } = history;
        let view = |version: VersionRecord| {
            let in_service = record.digest.as_ref() == Some(&version.digest);
            KeptVersionView {
                in_service,
                pinned: in_service && record.is_pinned,
                digest: version.digest,
                bytes: version.bytes,
                source: version.source,
                uploaded_at: version.uploaded_at,
                uploaded_by: version.uploaded_by,
                author_version: version.author_version,
            }
        };
        let versions = versions.into_iter().filter(|version| version.is_kept).map(view).collect();
        let change = |change: TaskChange| ChangeView {
            at: change.at,
            from: change.from,
            to: change.to,
            reason: change.reason,
            message: change.message,
        };
        Self {
            versions,
            changes: changes.into_iter().map(change).collect(),
            in_service: record.digest,
            previous: record.previous,
            pinned: record.is_pinned,
        }
    }
}
