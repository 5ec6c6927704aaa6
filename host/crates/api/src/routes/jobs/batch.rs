//! Enqueue many jobs, all or none.

use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use windlass_engine::EnqueueRequest;
use windlass_model::{Idempotency, JobId, Timestamp};

use super::body::EnqueueBody;
use super::idempotency::{idempotency, replayed};
use super::refusal::{Sent, refusal};
use crate::code::ErrorCode;
use crate::extract::{parse_json, read_body};
use crate::problem::{ApiError, Problem};
use crate::router::Api;

/// The most jobs in a batch: they share one transaction, and others wait for it.
const JOBS_MAX: usize = 10_000;

/// The largest body of a batch, in bytes.
const BODY_MAX: usize = 32 << 20;

/// How many faults an answer names: who has a thousand has one, a thousand times.
const FAULTS_SHOWN: usize = 100;

const JSON: &str = "application/json";
const NDJSON: &str = "application/x-ndjson";

/// The jobs of a batch.
#[derive(Serialize, ToSchema)]
#[schema(as = EnqueuedBatch)]
pub(crate) struct BatchView {
    /// Their ids, in the order of the batch.
    #[schema(value_type = Vec<Uuid>)]
    jobs: Vec<JobId>,
    /// Those of them that were there before and hold the unique key of a job of the batch.
    #[schema(value_type = Vec<Uuid>)]
    deduplicated: Vec<JobId>,
}

/// Enqueues many jobs
///
/// All of them or none, in one transaction. The body is a JSON array, or with the content type `application/x-ndjson` one job
/// a line (empty lines do not count). At most 10,000 jobs and 32 MiB. A fault names the index of its job, from 0, in `index`
/// and at the start of `errors[].field`. The header `Idempotency-Key` works as for one job.
#[utoipa::path(
    post,
    path = "/api/v1/jobs/batch",
    tag = "jobs",
    operation_id = "enqueueBatch",
    params(("Idempotency-Key" = Option<String>, Header, max_length = 255, description = "A name for this request that its \
        client never uses for another one, for instance a UUID.")),
    request_body(content(
        (Vec<EnqueueBody> = "application/json"),
        (String = "application/x-ndjson"),
    )),
    responses(
        (status = 202, description = "All jobs are durable.", body = BatchView),
        (status = 400, description = "The body is not JSON, or the header `Idempotency-Key` cannot be used.",
            body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "A job's task does not exist.",
            body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "A job's task is not in service, or its unique key is held and `mode` is `reject`.",
            body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "The body has more than 32 MiB.",
            body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The content type is neither of the two.",
            body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "There are too many jobs, or a field of one is wrong; at most 100 faults are named.",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The daemon is overloaded or shutting down; nothing was enqueued. Try again after \
            `Retry-After` seconds.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn enqueue_batch(
    State(api): State<Api>,
    BatchBody { bodies, idempotency }: BatchBody,
) -> Result<impl IntoResponse, ApiError> {
    let requests = check(bodies, api.handle.now())?;
    let enqueued = api.handle.enqueue(requests, idempotency).await.map_err(|error| refusal(&api, Sent::Many, error))?;
    let headers = replayed(enqueued.is_repeated);
    let jobs = enqueued.jobs.iter().map(|added| added.job.id).collect();
    let deduplicated = enqueued.jobs.iter().filter(|added| added.is_deduplicated).map(|added| added.job.id).collect();
    Ok((StatusCode::ACCEPTED, headers, axum::Json(BatchView { jobs, deduplicated })))
}

fn check(bodies: Vec<EnqueueBody>, now: Timestamp) -> Result<Vec<EnqueueRequest>, ApiError> {
    let (mut requests, mut faults, mut first) = (Vec::with_capacity(bodies.len()), Vec::new(), None);
    for (index, body) in bodies.into_iter().enumerate() {
        match body.check(now, &format!("{index}/")) {
            Ok(request) => requests.push(request),
            Err(found) => {
                first.get_or_insert(index);
                faults.extend(found);
            }
        }
        if faults.len() >= FAULTS_SHOWN {
            faults.truncate(FAULTS_SHOWN);
            break;
        }
    }
    match first {
        None => Ok(requests),
        Some(index) => Err(ApiError::fields(ErrorCode::InvalidRequest, faults).with_index(index)),
    }
}

/// The jobs of a batch, from either form.
pub(crate) struct BatchBody {
    bodies: Vec<EnqueueBody>,
    idempotency: Option<Idempotency>,
}

impl<S: Send + Sync> FromRequest<S> for BatchBody {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (headers, path) = (request.headers().clone(), request.uri().path().to_owned());
        let (content_type, bytes) = read_body(request, &[JSON, NDJSON], BODY_MAX).await?;
        let bodies = if content_type == NDJSON { from_lines(&bytes)? } else { from_array(&bytes)? };
        Ok(Self { bodies, idempotency: idempotency(&headers, &path, &bytes)? })
    }
}

fn from_lines(bytes: &[u8]) -> Result<Vec<EnqueueBody>, ApiError> {
    let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    let lines: Vec<_> = lines.enumerate().filter(|(_, line)| !line.is_empty()).collect();
    demand_few(lines.len())?;
    let parse = |(index, (line, bytes)): (usize, &(usize, &[u8]))| {
        parse_json(bytes).map_err(|error| error.in_line(index, line + 1))
    };
    lines.iter().enumerate().map(parse).collect()
}

fn from_array(bytes: &[u8]) -> Result<Vec<EnqueueBody>, ApiError> {
    let list: BoundedList = parse_json(bytes).map_err(ApiError::in_array)?;
    demand_few(list.found)?;
    Ok(list.jobs)
}

fn demand_few(found: usize) -> Result<(), ApiError> {
    if found <= JOBS_MAX {
        return Ok(());
    }
    let detail = format!("The batch has {found} jobs; one batch has at most {JOBS_MAX}. Nothing was enqueued.");
    Err(ApiError::new(ErrorCode::TooManyJobs, detail))
}

/// An array of which no more is kept than a batch may have. A body of 32 MiB holds some two million of the smallest jobs,
/// which would be a hundred times as large in memory before anybody counted them.
struct BoundedList {
    jobs: Vec<EnqueueBody>,
    found: usize,
}

impl<'de> Deserialize<'de> for BoundedList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bounded;

        impl<'de> Visitor<'de> for Bounded {
            type Value = BoundedList;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an array of jobs")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<BoundedList, A::Error> {
                let mut jobs = Vec::new();
                while jobs.len() < JOBS_MAX
                    && let Some(job) = seq.next_element()?
                {
                    jobs.push(job);
                }
                let mut found = jobs.len();
                while found >= JOBS_MAX && seq.next_element::<IgnoredAny>()?.is_some() {
                    found += 1;
                }
                Ok(BoundedList { jobs, found })
            }
        }

        deserializer.deserialize_seq(Bounded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_arrays_are_the_same_batch() {
        let lines = from_lines(b"{\"task\":\"a\"}\n\r\n  {\"task\":\"b\"}\r\n{\"task\":\"c\"}").unwrap();
        let array = from_array(br#"[{"task":"a"},{"task":"b"},{"task":"c"}]"#).unwrap();
        assert_eq!(format!("{lines:?}"), format!("{array:?}"));
        assert!(from_lines(b"").unwrap().is_empty());
        assert!(from_array(b"[]").unwrap().is_empty());
    }

    #[test]
    fn a_fault_names_the_index_and_for_lines_the_line() {
        let error = from_lines(b"{\"task\":\"a\"}\n\n{\"task\":\"b\",\"delay_ms\":-1}").unwrap_err();
        assert_eq!(error.errors()[0].field, "1/delay_ms");
        assert!(error.detail().starts_with("Line 3: "), "{}", error.detail());
        let error = from_array(br#"[{"task":"a"},{"task":"b","delay_ms":-1}]"#).unwrap_err();
        assert_eq!(error.errors()[0].field, "1/delay_ms");
        let error = from_lines(b"{\"task\":\"a\"}\n{\"task\":").unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidJson);
    }

    #[test]
    fn one_job_too_many_is_refused_and_ten_thousand_are_not() {
        let array = |jobs: usize| format!("[{}]", vec![r#"{"task":"a"}"#; jobs].join(","));
        assert_eq!(from_array(array(JOBS_MAX).as_bytes()).unwrap().len(), JOBS_MAX);
        let error = from_array(array(JOBS_MAX + 2).as_bytes()).unwrap_err();
        assert_eq!(error.detail(), "The batch has 10002 jobs; one batch has at most 10000. Nothing was enqueued.");
        let lines = "{\"task\":\"a\"}\n".repeat(JOBS_MAX + 1);
        assert_eq!(from_lines(lines.as_bytes()).unwrap_err().code(), ErrorCode::TooManyJobs);
    }

    #[test]
    fn what_is_not_a_list_of_jobs_is_refused() {
        let error = from_array(br#"{"task":"a"}"#).unwrap_err();
        assert_eq!(error.detail(), "invalid type: map, expected an array of jobs");
        assert_eq!(from_array(b"[1]").unwrap_err().errors()[0].field, "0");
    }

    #[test]
    fn faults_of_several_jobs_are_named_together() {
        let bodies = from_array(br#"[{"task":"a"},{"args":1},{"task":"b","max_attempts":0}]"#).unwrap();
        let error = check(bodies, Timestamp::from_micros(0)).unwrap_err();
        let fields: Vec<_> = error.errors().iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["1/task", "1/args", "2/max_attempts"]);
    }
}
