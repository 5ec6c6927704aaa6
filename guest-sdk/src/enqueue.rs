//! Enqueueing other jobs. The operator grants each task by name: `enqueue = ["send-email"]` in the plugin's grants file.
//!
//! ```no_run
//! use windlass_guest::{Enqueue, Job, TaskError};
//!
//! fn report(job: &Job) -> Result<(), TaskError> {
//!     let report = job.enqueue(Enqueue::new("export-csv").args(&serde_json::json!({ "source": "flights.json" })))?;
//!     job.enqueue(Enqueue::new("send-email").args(&serde_json::json!({ "to": "anna@example.com" })).after(&report))?;
//!     Ok(())
//! }
//! ```

use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::bindings::windlass::task::jobs as host;
use crate::{Job, TaskError, fatal};

/// A job that is to be enqueued. What is not set comes from its task's own defaults.
#[derive(Clone, Debug)]
#[must_use = "nothing is enqueued before `Job::enqueue`"]
pub struct Enqueue {
    fields: Map<String, Value>,
}

impl Enqueue {
    /// A job of this task.
    pub fn new(task: impl Into<String>) -> Self {
        Self { fields: Map::from_iter([("task".to_owned(), Value::String(task.into()))]) }
    }

    /// Its arguments, which must come to a JSON object. `{}` by default, and if they cannot be written as JSON, which the
    /// task's schema then refuses.
    pub fn args<T: Serialize>(self, args: &T) -> Self {
        self.set("args", serde_json::to_value(args).unwrap_or_default())
    }

    /// Its queue.
    pub fn queue(self, queue: impl Into<String>) -> Self {
        self.set("queue", Value::String(queue.into()))
    }

    /// Which of two available jobs runs first: the smaller number, from -100 to 100.
    pub fn priority(self, priority: i16) -> Self {
        self.set("priority", priority.into())
    }

    /// How long after now it may start.
    pub fn delay(self, delay: Duration) -> Self {
        self.set("delay_ms", millis(delay))
    }

    /// How long after now it is too late to start it.
    pub fn expires_in(self, span: Duration) -> Self {
        self.set("expires_in_ms", millis(span))
    }

    /// How many attempts it has.
    pub fn max_attempts(self, attempts: u32) -> Self {
        self.set("max_attempts", attempts.into())
    }

    /// How long one attempt may take.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.set("timeout_ms", millis(timeout))
    }

    /// It starts when the job with this id has ended, and is cancelled if that one does not complete. May be called for
    /// several jobs.
    pub fn after(mut self, job_id: &str) -> Self {
        match self.fields.entry("after").or_insert_with(|| json!([])) {
            Value::Array(list) => list.push(job_id.into()),
            other => *other = json!([job_id]),
        }
        self
    }

    /// It starts even if a job that it comes after does not complete.
    pub fn whatever_became_of_them(self) -> Self {
        self.set("on_failure", "run".into())
    }

    /// No other job of the task with this key is there at the same time: if there is, that one stands for it.
    pub fn unique(self, key: impl Into<String>) -> Self {
        self.set("unique", json!({ "key": key.into() }))
    }

    /// A label to filter by. May be called several times.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        match self.fields.entry("tags").or_insert_with(|| json!([])) {
            Value::Array(list) => list.push(Value::String(tag.into())),
            other => *other = json!([tag.into()]),
        }
        self
    }

    /// Any field of `POST /api/v1/jobs`, for what has no method of its own here.
    pub fn set(mut self, field: impl Into<String>, value: Value) -> Self {
        self.fields.insert(field.into(), value);
        self
    }

    /// What is sent to the host.
    #[must_use]
    pub fn to_json(&self) -> String {
        Value::Object(self.fields.clone()).to_string()
    }
}

impl Job {
    /// Enqueues a job as a child of this one, and returns its id. It is durable when this returns. An attempt that makes the
    /// same request again gets the job that is there.
    ///
    /// A request that is refused is [`fatal`]: another attempt would make the same one. The text says what is wrong with it,
    /// or which grant is missing.
    pub fn enqueue(&self, request: Enqueue) -> Result<String, TaskError> {
        host::enqueue(&request.to_json()).map_err(fatal)
    }
}

fn millis(span: Duration) -> Value {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_what_the_http_call_takes() {
        let request = Enqueue::new("send-email")
            .args(&json!({ "to": "a" }))
            .delay(Duration::from_secs(2))
            .after("x")
            .after("y")
            .tag("mail")
            .unique("k");
        let sent: Value = serde_json::from_str(&request.to_json()).unwrap();
        assert_eq!(
            sent,
            json!({
                "task": "send-email", "args": { "to": "a" }, "delay_ms": 2_000, "after": ["x", "y"], "tags": ["mail"],
                "unique": { "key": "k" },
            })
        );
    }
}
