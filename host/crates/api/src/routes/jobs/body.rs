//! What an application sends to enqueue a job, and what may stand in it.

use std::time::Duration;

use serde::Deserialize;
use utoipa::ToSchema;
use windlass_engine::EnqueueRequest;
use windlass_model::{
    Backoff, JobId, JsonText, OnFailure, Priority, QueueName, RunAt, TaskName, Timestamp, UniqueRequest,
};

use super::terms::{BackoffBody, OnFailureBody, UniqueBody, check_after, check_key, check_unique};

use crate::extract::parse_json;
use crate::problem::FieldError;

/// The largest arguments, in bytes of JSON. What is larger belongs in a file, with its name in the arguments.
const ARGS_MAX: usize = 1 << 20;

/// The largest metadata, in bytes of JSON.
const METADATA_MAX: usize = 16 << 10;

/// The most attempts: with the default backoff that is weeks of trying.
const MAX_ATTEMPTS: u32 = 1_000;

/// The longest time limit of an attempt: a week.
const TIMEOUT_MAX_MS: u64 = 7 * 24 * 3_600_000;

/// How far ahead a job may be planned: ten years, with the leap days.
const DELAY_MAX_MS: u64 = 3_653 * 24 * 3_600_000;

const TAGS_MAX: usize = 32;
const TAG_LENGTH_MAX: usize = 100;

/// A request to run a task. An absent field, or one that is null, takes its value from the task's own defaults, then from the
/// daemon's. Unknown fields are refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(
    as = Enqueue,
    example = json!({"task": "export-csv", "args": {"source": "flights.json", "columns": ["origin", "delay"]}, "tags": ["nightly"]})
)]
pub(crate) struct EnqueueBody {
    /// The task.
    #[schema(value_type = String, required = true, example = "export-csv")]
    task: Option<TaskName>,
    /// The arguments: a JSON object that fits the task's `args_schema`, `{}` if absent. At most 1 MiB.
    #[schema(value_type = Option<Object>)]
    args: Option<JsonText>,
    /// The queue: 1 to 64 characters of a-z, 0-9, `-`, `_`. `default` if neither the request nor the task names one.
    #[schema(value_type = Option<String>, example = "default")]
    queue: Option<QueueName>,
    /// Which of two available jobs runs first: the smaller number, from -100 to 100. 0 if neither says.
    #[schema(value_type = Option<i16>, minimum = -100, maximum = 100)]
    priority: Option<Priority>,
    /// When it may start, at most ten years ahead; at once if absent or past. Not together with `delay_ms`.
    #[schema(value_type = Option<String>, format = DateTime)]
    run_at: Option<Timestamp>,
    /// How many milliseconds after now it may start, at most ten years. Not together with `run_at`.
    #[schema(maximum = 315_619_200_000_u64)]
    delay_ms: Option<u64>,
    /// When it is too late to start it: then it is discarded with the error kind `expired`. Never if absent. Not together with
    /// `expires_in_ms`.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// How many milliseconds after now it is too late to start it. Not together with `expires_at`.
    #[schema(minimum = 1, maximum = 315_619_200_000_u64)]
    expires_in_ms: Option<u64>,
    /// How many attempts it has, 1 to 1,000. 5 if neither says.
    #[schema(minimum = 1, maximum = 1_000)]
    max_attempts: Option<u32>,
    /// How many milliseconds one attempt may take, up to a week. 30 minutes if neither says.
    #[schema(minimum = 1, maximum = 604_800_000)]
    timeout_ms: Option<u64>,
    /// How long it waits between attempts. From 2 seconds to an hour, doubling, if neither says.
    #[schema(value_type = Option<BackoffBody>)]
    backoff: Option<Backoff>,
    /// Jobs of a queue with the same key share its limit for each key: 1 to 200 characters.
    concurrency_key: Option<String>,
    /// What no other job of the task may be at the same time.
    #[schema(value_type = Option<UniqueBody>)]
    unique: Option<UniqueRequest>,
    /// The jobs that must end before it may start, at most 1,000.
    #[schema(value_type = Option<Vec<Uuid>>, max_items = 1_000)]
    after: Option<Vec<JobId>>,
    /// What becomes of it if one of `after` is discarded or cancelled; `cancel` if absent.
    #[schema(value_type = Option<OnFailureBody>)]
    on_failure: Option<OnFailure>,
    /// Labels to filter by: at most 32, each of 1 to 100 characters without control characters.
    #[schema(max_items = 32)]
    tags: Option<Vec<String>>,
    /// A JSON object of at most 16 KiB that is kept with the job.
    #[schema(value_type = Option<Object>)]
    metadata: Option<JsonText>,
}

impl EnqueueBody {
    /// Checks what the types do not say. All faults are named at once, each with its field behind `prefix`.
    pub(crate) fn check(self, now: Timestamp, prefix: &str) -> Result<EnqueueRequest, Vec<FieldError>> {
        let mut faults = Faults { prefix, list: Vec::new() };
        faults.demand(self.task.is_some(), "task", || "is required".to_owned());
        check_object(&mut faults, "args", self.args.as_ref(), ARGS_MAX);
        check_object(&mut faults, "metadata", self.metadata.as_ref(), METADATA_MAX);
        let run_at = check_time(&mut faults, ["run_at", "delay_ms"], self.run_at, self.delay_ms, now);
        let expires_at =
            check_time(&mut faults, ["expires_at", "expires_in_ms"], self.expires_at, self.expires_in_ms, now);
        let is_late = |late: RunAt| late.from(now) <= run_at.map_or(now, |at| at.from(now));
        faults.demand(!expires_at.is_some_and(is_late), "expires_at", || {
            "must lie after now and after the time from which the job may start".to_owned()
        });
        let attempts = self.max_attempts.is_none_or(|found| (1..=MAX_ATTEMPTS).contains(&found));
        faults.demand(attempts, "max_attempts", || format!("must lie between 1 and {MAX_ATTEMPTS}"));
        let timeout = self.timeout_ms.is_none_or(|found| (1..=TIMEOUT_MAX_MS).contains(&found));
        faults.demand(timeout, "timeout_ms", || format!("must lie between 1 and {TIMEOUT_MAX_MS} (a week)"));
        let tags = self.tags.unwrap_or_default();
        check_tags(&mut faults, &tags);
        check_key(&mut faults, "concurrency_key", self.concurrency_key.as_deref());
        check_unique(&mut faults, self.unique.as_ref());
        let after = check_after(&mut faults, self.after);
        match self.task {
            Some(task) if faults.list.is_empty() => Ok(EnqueueRequest {
                task,
                args: self.args.unwrap_or_else(JsonText::empty_object),
                queue: self.queue,
                priority: self.priority,
                run_at,
                expires_at,
                max_attempts: self.max_attempts,
                timeout: self.timeout_ms.map(Duration::from_millis),
                backoff: self.backoff,
                concurrency_key: self.concurrency_key,
                unique: self.unique,
                after,
                on_failure: self.on_failure.unwrap_or_default(),
                tags,
                metadata: self.metadata,
            }),
            _ => Err(faults.list),
        }
    }
}

/// Reads a job as a guest sends it: the same JSON as an application's, with the faults in words.
pub fn parse_enqueue(text: &str, now: Timestamp) -> Result<EnqueueRequest, String> {
    let body: EnqueueBody = parse_json(text.as_bytes()).map_err(|error| error.detail().to_owned())?;
    body.check(now, "").map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

fn check_object(faults: &mut Faults<'_>, field: &str, value: Option<&JsonText>, max: usize) {
    let Some(value) = value else { return };
    let found = value.as_str().len();
    faults.demand(value.is_object(), field, || "must be a JSON object".to_owned());
    faults.demand(found <= max, field, || format!("has {found} bytes; at most {max} are kept"));
}

/// A point in time that can be given as such or as a span from now.
fn check_time(
    faults: &mut Faults<'_>,
    [at_field, span_field]: [&str; 2],
    at: Option<Timestamp>,
    span_ms: Option<u64>,
    now: Timestamp,
) -> Option<RunAt> {
    let longest = Duration::from_millis(DELAY_MAX_MS);
    match (at, span_ms) {
        (Some(_), Some(_)) => {
            faults.demand(false, span_field, || format!("cannot stand together with `{at_field}`: send one of them"));
            None
        }
        (Some(time), None) => {
            faults.demand(time <= now.plus(longest), at_field, || "lies more than ten years ahead".to_owned());
            // What lies before the epoch is as past as the epoch, and PostgreSQL keeps no time of the last ice age.
            Some(RunAt::Time(time.max(Timestamp::from_micros(0))))
        }
        (None, Some(millis)) => {
            faults.demand(millis <= DELAY_MAX_MS, span_field, || format!("must be at most {DELAY_MAX_MS} (ten years)"));
            Some(RunAt::After(Duration::from_millis(millis)))
        }
        (None, None) => None,
    }
}

fn check_tags(faults: &mut Faults<'_>, tags: &[String]) {
    faults.demand(tags.len() <= TAGS_MAX, "tags", || format!("has {} tags; at most {TAGS_MAX} are kept", tags.len()));
    for (index, tag) in tags.iter().enumerate().take(TAGS_MAX) {
        let found = tag.chars().count();
        faults.demand((1..=TAG_LENGTH_MAX).contains(&found), &format!("tags/{index}"), || {
            format!("has {found} characters; a tag has 1 to {TAG_LENGTH_MAX}")
        });
        faults.demand(!tag.contains(char::is_control), &format!("tags/{index}"), || {
            "has a control character, which a tag cannot have".to_owned()
        });
    }
}

/// What is wrong with a body so far.
pub(crate) struct Faults<'a> {
    prefix: &'a str,
    list: Vec<FieldError>,
}

impl Faults<'_> {
    /// Notes a fault of a field unless something holds.
    pub(crate) fn demand(&mut self, holds: bool, field: &str, message: impl FnOnce() -> String) {
        if !holds {
            self.list.push(FieldError::new(format!("{}{field}", self.prefix), message()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_000_000_000_000;

    fn check(body: &str) -> Result<EnqueueRequest, Vec<String>> {
        let body: EnqueueBody = match parse_json(body.as_bytes()) {
            Ok(body) => body,
            Err(error) => return Err(error.errors().iter().map(ToString::to_string).collect()),
        };
        let checked = body.check(Timestamp::from_micros(NOW), "");
        checked.map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    fn faults(body: &str) -> Vec<String> {
        check(body).unwrap_err()
    }

    #[test]
    fn a_task_alone_is_enough_and_null_counts_as_absent() {
        let request = check(r#"{"task": "hello", "args": null, "queue": null, "tags": null}"#).unwrap();
        assert_eq!(request.args.as_str(), "{}");
        assert_eq!((request.queue, request.run_at, request.max_attempts), (None, None, None));
        assert!(request.tags.is_empty());
    }

    #[test]
    fn arguments_pass_through_as_they_were_written() {
        let request = check(r#"{"task":"hello","args":{"b": 1.10, "a": 12345678901234567890123}}"#).unwrap();
        assert_eq!(request.args.as_str(), r#"{"b": 1.10, "a": 12345678901234567890123}"#);
    }

    #[test]
    fn every_fault_of_a_body_is_named_at_once() {
        let body = r#"{"args": [], "run_at": "2026-11-20T14:30:00Z", "delay_ms": 5, "max_attempts": 0, "timeout_ms": 0,
            "tags": ["ok", "", "a\u0000b"], "metadata": "x"}"#;
        assert_eq!(
            faults(body),
            [
                "`task`: is required",
                "`args`: must be a JSON object",
                "`metadata`: must be a JSON object",
                "`delay_ms`: cannot stand together with `run_at`: send one of them",
                "`max_attempts`: must lie between 1 and 1000",
                "`timeout_ms`: must lie between 1 and 604800000 (a week)",
                "`tags/1`: has 0 characters; a tag has 1 to 100",
                "`tags/2`: has a control character, which a tag cannot have",
            ]
        );
    }

    #[test]
    fn a_value_that_is_too_large_is_named_with_its_limit() {
        let args = format!(r#"{{"task":"hello","args":{{"a":"{}"}}}}"#, "x".repeat(1 << 20));
        assert_eq!(faults(&args), ["`args`: has 1048584 bytes; at most 1048576 are kept"]);
        let metadata = format!(r#"{{"task":"hello","metadata":{{"a":"{}"}}}}"#, "x".repeat(16 << 10));
        assert_eq!(faults(&metadata), ["`metadata`: has 16392 bytes; at most 16384 are kept"]);
        let tags = serde_json::json!({ "task": "hello", "tags": vec!["a"; 33] });
        assert_eq!(faults(&tags.to_string()), ["`tags`: has 33 tags; at most 32 are kept"]);
        assert_eq!(
            faults(r#"{"task":"hello","priority":101}"#),
            ["`priority`: a priority lies between -100 and 100 (smaller runs first), this one is 101"]
        );
    }

    #[test]
    fn a_job_may_be_planned_ten_years_ahead_and_no_further() {
        assert!(check(r#"{"task":"hello","delay_ms":315619200000}"#).is_ok());
        assert_eq!(
            faults(r#"{"task":"hello","delay_ms":315619200001}"#),
            ["`delay_ms`: must be at most 315619200000 (ten years)"]
        );
        assert_eq!(
            faults(r#"{"task":"hello","run_at":"2037-01-01T00:00:00Z"}"#),
            ["`run_at`: lies more than ten years ahead"]
        );
        let past = check(r#"{"task":"hello","run_at":"-005000-01-01T00:00:00Z"}"#).unwrap();
        assert_eq!(past.run_at, Some(RunAt::Time(Timestamp::from_micros(0))));
    }

    #[test]
    fn names_that_could_leave_their_folder_and_unknown_fields_are_refused() {
        assert_eq!(
            faults(r#"{"task":"../etc"}"#),
            [
                "`task`: a name is made of a-z, 0-9, `-` and `_`, and starts with a letter or a digit: '.' cannot stand here"
            ]
        );
        let unknown = faults(r#"{"task":"hello","uniq":{}}"#);
        assert!(unknown[0].starts_with("`uniq`: unknown field `uniq`, expected one of `task`, `args`"), "{unknown:?}");
    }

    #[test]
    fn the_terms_of_a_job_are_read_and_their_faults_named() {
        let request = check(
            r#"{"task":"hello","expires_in_ms":60000,"backoff":{"delays_ms":[5,10]},"concurrency_key":"customer-7",
                "unique":{"key":"a","states":["completed"],"mode":"replace"},"on_failure":"run",
                "after":["01a1fe4f-6630-7022-ba88-ea32e47a7714","01a1fe4f-6630-7022-ba88-ea32e47a7714"]}"#,
        )
        .unwrap();
        assert_eq!(request.after.len(), 1, "a job is named once");
        assert_eq!(
            (request.on_failure, request.unique.unwrap().mode),
            (OnFailure::Run, windlass_model::UniqueMode::Replace)
        );
        assert_eq!(request.expires_at, Some(RunAt::After(Duration::from_secs(60))));
        assert_eq!(
            faults(
                r#"{"task":"hello","delay_ms":10,"expires_in_ms":10,"concurrency_key":"","unique":{"key":"a\u0000","states":["running"]}}"#
            ),
            [
                "`expires_at`: must lie after now and after the time from which the job may start",
                "`concurrency_key`: has 0 characters; a key has 1 to 200",
                "`unique/key`: has a control character, which a key cannot have",
                "`unique/states/0`: is running, in which a job always holds its key: name final states only (completed, \
                 discarded, cancelled)",
            ]
        );
        assert_eq!(
            faults(r#"{"task":"hello","backoff":{"base_ms":0}}"#),
            ["`backoff`: base_ms is 0 and max_ms is 3600000: it takes 1 <= base_ms <= max_ms <= 604800000 (a week)"]
        );
        assert_eq!(
            faults(r#"{"task":"hello","unique":{"mode":"maybe"}}"#),
            ["`unique/mode`: unknown variant `maybe`, expected one of `keep`, `replace`, `reject`"]
        );
    }
}
