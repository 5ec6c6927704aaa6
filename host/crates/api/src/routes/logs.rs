//! A job's log.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use windlass_model::{LogLine, LogStream, Timestamp};

use super::find_job;
use crate::extract::{FromParams, JobPath, Params, Query};
use crate::problem::{ApiError, Problem};
use crate::router::Api;

const LINES_DEFAULT: u32 = 1_000;

/// The most lines of a page: with the usual length of a line about a megabyte.
const LINES_MAX: u32 = 10_000;

/// Which lines of a log to read.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LogParams {
    /// Only lines after the one with this `seq`; from the start if absent.
    #[param(value_type = Option<u64>)]
    after: u64,
    /// How many lines a page has, 1 to 10,000; 1,000 if absent.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 10_000)]
    limit: u32,
}

/// A page of a job's log.
#[derive(Serialize, ToSchema)]
#[schema(as = LogPage)]
pub(crate) struct LogPageView {
    /// The lines, in order.
    lines: Vec<LogLineView>,
    /// The `after` of the next page; null if there are no more lines now.
    #[schema(required = true)]
    next: Option<u64>,
}

/// One line of a job's log.
#[derive(Serialize, ToSchema)]
#[schema(as = LogLine)]
pub(crate) struct LogLineView {
    /// Its place in the job's log: 1, 2, 3.
    seq: u64,
    /// When it was written.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The number of the attempt that wrote it.
    attempt: u32,
    /// Where it comes from.
    stream: LogStreamView,
    /// The line, without its end.
    text: String,
}

/// Where a line comes from: the handler's standard output, its standard error, or the daemon.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LogStream)]
enum LogStreamView {
    Stdout,
    Stderr,
    Host,
}

/// Reads a job's log
///
/// What its handler wrote to standard output and standard error, in all attempts. To follow the log of a running job, ask
/// again with the `seq` of the last line as `after`, or use the event stream with `?logs=true`.
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}/logs",
    tag = "jobs",
    operation_id = "readLog",
    params(("id" = Uuid, Path, description = "The job."), LogParams),
    responses(
        (status = 200, description = "A page of the log.", body = LogPageView),
        (status = 400, description = "The id or a parameter is malformed.",
            body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such job, or it has been pruned.",
            body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn read_log(
    State(api): State<Api>,
    JobPath(id): JobPath,
    Query(params): Query<LogParams>,
) -> Result<Json<LogPageView>, ApiError> {
    find_job(&api, id).await?;
    // One line more than the page has: whether it is there says whether there is a next page.
    let mut lines = api.handle.directory().log_list(id, params.after, params.limit + 1).await?;
    let has_more = lines.len() > params.limit as usize;
    lines.truncate(params.limit as usize);
    let next = lines.last().filter(|_| has_more).map(|line| line.seq);
    Ok(Json(LogPageView { lines: lines.into_iter().map(LogLineView::from).collect(), next }))
}

impl FromParams for LogParams {
    const KNOWN: &'static [&'static str] = &["after", "limit"];

    fn from_params(params: &mut Params) -> Self {
        let limit = params.one("limit").unwrap_or(LINES_DEFAULT);
        if !(1..=LINES_MAX).contains(&limit) {
            params.fault("limit", format!("must lie between 1 and {LINES_MAX}"));
        }
        Self { after: params.one("after").unwrap_or(0), limit }
    }
}

impl From<LogLine> for LogLineView {
    fn from(line: LogLine) -> Self {
        let stream = match line.stream {
            LogStream::Stdout => LogStreamView::Stdout,
            LogStream::Stderr => LogStreamView::Stderr,
            LogStream::Host => LogStreamView::Host,
        };
        Self { seq: line.seq, at: line.at, attempt: line.attempt, stream, text: line.text }
    }
}
