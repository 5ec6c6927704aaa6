//! The tasks that jobs can ask for.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use windlass_engine::{DEFAULT_MAX_ATTEMPTS, DEFAULT_TIMEOUT};
use windlass_model::{
    Backoff, JsonText, Priority, QueueName, TaskDefaults, TaskInfo, TaskName, Timestamp, WorkerId, WorkerTask,
};

use super::jobs::unknown_task;
use crate::extract::TaskPath;
use crate::problem::{ApiError, Problem};
use crate::router::Api;

/// The tasks that are known.
#[derive(Serialize, ToSchema)]
#[schema(as = TaskList)]
pub(crate) struct TaskListView {
    /// By name.
    tasks: Vec<TaskView>,
}

/// A task. It is in service if `version` is not null; if `load_error` is there as well, a newer file failed to load and the
/// version before it stayed.
#[derive(Serialize, ToSchema)]
#[schema(as = Task)]
pub(crate) struct TaskView {
    /// Its name: what `POST /jobs` takes as `task`.
    #[schema(value_type = String, example = "export-csv")]
    name: TaskName,
    /// The version in service; null if there is none.
    #[schema(required = true)]
    version: Option<VersionView>,
    /// Why the file that is there now is not in service; null if it is.
    #[schema(required = true)]
    load_error: Option<LoadErrorView>,
}

/// A task, with what is in service by the database's word and what each worker serves.
#[derive(Serialize, ToSchema)]
#[schema(as = TaskDetail)]
pub(crate) struct TaskDetailView {
    /// Its name: what `POST /jobs` takes as `task`.
    #[schema(value_type = String, example = "export-csv")]
    name: TaskName,
    /// The version that the daemon which answers serves; null if there is none.
    #[schema(required = true)]
    version: Option<VersionView>,
    /// What is wrong there; null if nothing is.
    #[schema(required = true)]
    load_error: Option<LoadErrorView>,
    /// The digest of the version that should be in service everywhere; null if the task was deleted.
    #[schema(required = true)]
    in_service: Option<String>,
    /// Whether that version is pinned.
    pinned: bool,
    /// What each worker serves, as far as it has said, in the order of their start.
    workers: Vec<WorkerVersionView>,
}

/// What a worker serves of a task.
#[derive(Serialize, ToSchema)]
#[schema(as = WorkerVersion)]
pub(crate) struct WorkerVersionView {
    /// The worker.
    #[schema(value_type = Uuid)]
    worker_id: WorkerId,
    /// The version that it serves.
    #[schema(required = true)]
    digest: Option<String>,
    /// Why it does not serve the one that it should.
    #[schema(required = true)]
    load_error: Option<String>,
}

/// A version of a task's plugin, and what it says of itself.
#[derive(Serialize, ToSchema)]
#[schema(as = TaskVersion)]
pub(crate) struct VersionView {
    /// The SHA-256 of the component, in hexadecimal: the `plugin_digest` of the jobs that it runs.
    digest: String,
    /// The size of the component.
    bytes: u64,
    /// When it was loaded.
    #[schema(value_type = String, format = DateTime)]
    loaded_at: Timestamp,
    /// Its name for people.
    #[schema(required = true)]
    title: Option<String>,
    /// What it does.
    #[schema(required = true)]
    description: Option<String>,
    /// The version that its author gave it.
    #[schema(required = true, example = "1.4.0")]
    author_version: Option<String>,
    /// The JSON Schema that arguments must fit; null if any object will do.
    #[schema(value_type = serde_json::Value)]
    args_schema: Option<JsonText>,
    /// The JSON Schema of the output, if it tells.
    #[schema(value_type = serde_json::Value)]
    output_schema: Option<JsonText>,
    /// What holds for a job that does not say otherwise.
    defaults: DefaultsView,
    /// The grants that it would like, if it tells.
    #[schema(value_type = serde_json::Value)]
    wants: Option<JsonText>,
    /// What the operator granted it; never the value of a secret.
    #[schema(value_type = serde_json::Value)]
    grants: JsonText,
    /// What an attempt may use: each limit by the key that sets it; null where nothing limits it.
    #[schema(value_type = Object)]
    limits: JsonText,
}

/// What holds for a job of a task that does not say otherwise.
#[derive(Serialize, ToSchema)]
#[schema(as = TaskDefaults)]
pub(crate) struct DefaultsView {
    /// Its queue.
    #[schema(value_type = String, example = "default")]
    queue: QueueName,
    /// Which of two available jobs runs first: the smaller number.
    #[schema(value_type = i16)]
    priority: Priority,
    /// How many attempts it has.
    max_attempts: u32,
    /// How many milliseconds one attempt may take.
    timeout_ms: u64,
    /// How long it waits between attempts.
    #[schema(value_type = BackoffSchema)]
    backoff: Backoff,
}

/// How long a job waits between attempts: the wait doubles from one to the next, up to a bound.
#[derive(ToSchema)]
#[schema(as = Backoff)]
#[expect(dead_code, reason = "only describes what the model's type writes")]
struct BackoffSchema {
    /// The first wait, in milliseconds.
    base_ms: u64,
    /// The longest wait, in milliseconds.
    max_ms: u64,
}

/// Why a plugin's file could not be put in service.
#[derive(Serialize, ToSchema)]
#[schema(as = LoadError)]
pub(crate) struct LoadErrorView {
    /// The SHA-256 of the file that failed, if it could be read.
    #[schema(required = true)]
    digest: Option<String>,
    /// When it failed.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Why, in plain words.
    message: String,
}

/// Lists the tasks
///
/// Those in service, and those whose plugin did not load, with the reason.
#[utoipa::path(
    get,
    path = "/api/v1/tasks",
    tag = "tasks",
    operation_id = "listTasks",
    responses((status = 200, description = "The tasks, by name.", body = TaskListView)),
)]
pub(crate) async fn list_tasks(State(api): State<Api>) -> Json<TaskListView> {
    Json(TaskListView { tasks: api.handle.tasks().into_iter().map(TaskView::from).collect() })
}

/// Reads a task
#[utoipa::path(
    get,
    path = "/api/v1/tasks/{name}",
    tag = "tasks",
    operation_id = "getTask",
    params(("name" = String, Path, description = "The task's name.", example = "export-csv")),
    responses(
        (status = 200, description = "The task.", body = TaskDetailView),
        (status = 404, description = "There is no such task; `nearest` has the most similar names.",
            body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn get_task(
    State(api): State<Api>,
    TaskPath(raw): TaskPath,
) -> Result<Json<TaskDetailView>, ApiError> {
    let task = match TaskName::parse(&raw) {
        Ok(name) => detail(&api, &name).await?,
        Err(_) => None,
    };
    task.map(Json).ok_or_else(|| unknown_task(&api, &raw))
}

/// A task as this daemon and the database know it; `None` if this daemon does not.
pub(crate) async fn detail(api: &Api, name: &TaskName) -> Result<Option<TaskDetailView>, ApiError> {
    let Some(info) = api.handle.task(name) else { return Ok(None) };
    let TaskView { name: shown, version, load_error } = Arc::unwrap_or_clone(info).into();
    let record = api.handle.task_record(name).await?;
    let worker = |task: WorkerTask| WorkerVersionView {
        worker_id: task.worker,
        digest: task.digest,
        load_error: task.load_error,
    };
    Ok(Some(TaskDetailView {
        name: shown,
        version,
        load_error,
        pinned: record.as_ref().is_some_and(|record| record.is_pinned),
        in_service: record.and_then(|record| record.digest),
        workers: api.handle.worker_tasks(name).await?.into_iter().map(worker).collect(),
    }))
}

impl From<TaskInfo> for TaskView {
    fn from(task: TaskInfo) -> Self {
        let version = task.version.map(|version| VersionView {
            digest: version.digest,
            bytes: version.bytes,
            loaded_at: version.loaded_at,
            title: version.description.title,
            description: version.description.description,
            author_version: version.description.version,
            args_schema: version.description.args_schema,
            output_schema: version.description.output_schema,
            defaults: version.description.defaults.into(),
            wants: version.description.wants,
            grants: version.grants,
            limits: version.limits,
        });
        let load_error =
            task.load_error.map(|error| LoadErrorView { digest: error.digest, at: error.at, message: error.message });
        Self { name: task.name, version, load_error }
    }
}

impl From<TaskDefaults> for DefaultsView {
    fn from(defaults: TaskDefaults) -> Self {
        let timeout = defaults.timeout().unwrap_or(DEFAULT_TIMEOUT);
        Self {
            queue: defaults.queue.unwrap_or_default(),
            priority: defaults.priority.unwrap_or_default(),
            max_attempts: defaults.max_attempts.unwrap_or(DEFAULT_MAX_ATTEMPTS),
            timeout_ms: u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX),
            backoff: defaults.backoff.unwrap_or_default(),
        }
    }
}
