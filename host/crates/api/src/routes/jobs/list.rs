//! List jobs by what they have in common.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use windlass_model::{JobFilter, JobId, JobState, PageSize, QueueName, TaskName, Timestamp};

use super::id_start::IdStart;
use super::view::{JobStateView, JobView};
use crate::extract::{FromParams, Params, Query};
use crate::problem::{ApiError, Problem};
use crate::router::Api;

/// Which jobs to list. What is absent does not narrow the list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// In one of these states: repeat the parameter, or put commas between them.
    #[param(value_type = Vec<JobStateView>, required = false)]
    state: Vec<JobState>,
    /// Of this task.
    #[param(value_type = Option<String>, example = "export-csv")]
    task: Option<TaskName>,
    /// Of this queue.
    #[param(value_type = Option<String>)]
    queue: Option<QueueName>,
    /// With this tag.
    tag: Option<String>,
    /// Whose id starts with this. Dashes may be left out.
    #[param(value_type = Option<String>, example = "0197c2a4-5b1e")]
    id: Option<IdStart>,
    /// Enqueued at this time or later.
    #[param(value_type = Option<String>, format = DateTime, example = "2026-11-20T14:30:00Z")]
    created_from: Option<Timestamp>,
    /// Enqueued before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    created_before: Option<Timestamp>,
    /// How many jobs a page has, 1 to 500; 50 if absent.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 500)]
    limit: PageSize,
    /// Where the page before ended: its `next`, with the same filter.
    #[param(value_type = Option<String>)]
    cursor: Option<JobId>,
}

/// A page of jobs.
#[derive(Serialize, ToSchema)]
#[schema(as = JobPage)]
pub(crate) struct JobPageView {
    /// The jobs, the newest first, without their artifacts.
    jobs: Vec<JobView>,
    /// The `cursor` of the next page; null if this is the last. Its form may change: hand it on as it is.
    #[schema(value_type = Option<String>, required = true)]
    next: Option<JobId>,
}

/// Lists jobs
///
/// The newest first. Jobs that are enqueued while one pages through do not move the pages.
#[utoipa::path(
    get,
    path = "/api/v1/jobs",
    tag = "jobs",
    operation_id = "listJobs",
    params(ListParams),
    responses(
        (status = 200, description = "A page of jobs.", body = JobPageView),
        (status = 400, description = "A parameter is unknown or has a wrong value; `errors` names each.",
            body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_jobs(
    State(api): State<Api>,
    Query(params): Query<ListParams>,
) -> Result<Json<JobPageView>, ApiError> {
    let (size, start) = (params.limit, params.id);
    let mut page = api.handle.directory().job_list(&params.into(), size).await?;
    if let Some(start) = start
        && let Some(end) = page.jobs.iter().position(|job| job.id < start.lowest)
    {
        page.jobs.truncate(end);
        page.next = None;
    }
    Ok(Json(JobPageView { jobs: page.jobs.into_iter().map(JobView::in_list).collect(), next: page.next }))
}

impl FromParams for ListParams {
    const KNOWN: &'static [&'static str] =
        &["state", "task", "queue", "tag", "id", "created_from", "created_before", "limit", "cursor"];

    fn from_params(params: &mut Params) -> Self {
        let limit = params.one("limit").map(|rows| {
            PageSize::new(rows).unwrap_or_else(|| {
                params.fault("limit", format!("must lie between 1 and {}", PageSize::MAX));
                PageSize::default()
            })
        });
        Self {
            state: params.many("state"),
            task: params.one("task"),
            queue: params.one("queue"),
            tag: params.one("tag"),
            id: params.one("id"),
            created_from: params.one("created_from"),
            created_before: params.one("created_before"),
            limit: limit.unwrap_or_default(),
            cursor: params.one::<Cursor>("cursor").map(|cursor| cursor.0),
        }
    }
}

impl From<ListParams> for JobFilter {
    fn from(params: ListParams) -> Self {
        // No job is older than the epoch, and PostgreSQL does not keep all times before it.
        let epoch = Timestamp::from_micros(0);
        Self {
            states: params.state,
            task: params.task,
            queue: params.queue,
            tag: params.tag,
            created_from: params.created_from.map(|time| time.max(epoch)),
            created_before: params.created_before.map(|time| time.max(epoch)),
            // The list goes from the highest id down: it starts below the one that follows those that are meant.
            after: match (params.cursor, params.id.and_then(|start| start.following)) {
                (Some(cursor), Some(following)) => Some(cursor.min(following)),
                (cursor, following) => cursor.or(following),
            },
        }
    }
}

struct Cursor(JobId);

#[derive(Debug, thiserror::Error)]
#[error("is not a cursor of this list: take the `next` of the page before")]
struct CursorError;

impl std::str::FromStr for Cursor {
    type Err = CursorError;

    fn from_str(raw: &str) -> Result<Self, CursorError> {
        raw.parse().map(Self).map_err(|_| CursorError)
    }
}
