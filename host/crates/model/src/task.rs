//! What is known of a task: what its plugin says of itself, which version is in service, what failed to load.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Backoff, JsonText, Priority, QueueName, TaskName, Timestamp, UniqueRequest};

/// What a plugin says of itself, from its `describe` export. Everything is optional; fields that this version does not
/// know are ignored, so that a newer plugin still loads.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct TaskDescription {
    /// A name for people.
    pub title: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// The author's version.
    pub version: Option<String>,
    /// The JSON Schema of the arguments.
    pub args_schema: Option<JsonText>,
    /// The JSON Schema of the output.
    pub output_schema: Option<JsonText>,
    /// What holds for a job that does not say otherwise.
    #[serde(default)]
    pub defaults: TaskDefaults,
    /// The grants it would like.
    pub wants: Option<JsonText>,
}

/// What holds for a job that does not say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskDefaults {
    /// Its queue.
    pub queue: Option<QueueName>,
    /// Which job goes first.
    pub priority: Option<Priority>,
    /// How many attempts it has.
    pub max_attempts: Option<u32>,
    /// How long one attempt may take.
    pub timeout_ms: Option<u64>,
    /// How long it waits between attempts.
    pub backoff: Option<Backoff>,
    /// What no two of its jobs may be at the same time.
    pub unique: Option<UniqueRequest>,
}

/// What is wrong with a description.
#[derive(Debug, thiserror::Error)]
#[error("`describe` did not return a description as JSON")]
pub struct DescriptionError(#[source] serde_json::Error);

impl TaskDescription {
    /// Reads what `describe` returned.
    pub fn parse(text: &str) -> Result<Self, DescriptionError> {
        serde_json::from_str(text).map_err(DescriptionError)
    }
}

impl TaskDefaults {
    /// The time limit of one attempt.
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout_ms.map(Duration::from_millis)
    }
}

/// A version of a plugin that is in service.
#[derive(Clone, Debug, Serialize)]
pub struct TaskVersion {
    /// The SHA-256 of the component's bytes, in hexadecimal.
    pub digest: String,
    /// The size of the component.
    pub bytes: u64,
    /// When it was loaded.
    pub loaded_at: Timestamp,
    /// What it says of itself.
    pub description: TaskDescription,
    /// What the operator granted it, as JSON; never a secret's value.
    pub grants: JsonText,
    /// Of how many first attempts all must trap for it to be rolled back by itself; never if absent.
    pub auto_rollback: Option<u32>,
    /// What an attempt may use, as JSON: each limit by the key that sets it; null where nothing limits it.
    pub limits: JsonText,
}

/// Those of a task's limits that bound more than what happens inside one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskLimits {
    /// How many of its attempts may run at once on one worker; absent: as many as there are slots.
    pub concurrency: Option<u32>,
    /// How many steps of one attempt are kept one by one. Later ones are shown as they come and not kept.
    pub progress_steps: u64,
}

impl TaskLimits {
    /// Enough for any person to read; a bound, so that a guest in a loop cannot fill the database.
    pub const PROGRESS_STEPS: u64 = 10_000;
}

impl Default for TaskLimits {
    fn default() -> Self {
        Self { concurrency: None, progress_steps: Self::PROGRESS_STEPS }
    }
}

/// Why the file that is there now could not be put in service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoadError {
    /// The SHA-256 of the bytes that failed, in hexadecimal, if they could be read.
    pub digest: Option<String>,
    /// When it failed.
    pub at: Timestamp,
    /// Why, in plain words.
    pub message: String,
}

/// A task as the daemon knows it: a version in service, a reason why there is none, or both, when a new file failed and the
/// version before it stayed.
#[derive(Clone, Debug, Serialize)]
pub struct TaskInfo {
    /// Its name.
    pub name: TaskName,
    /// The version in service.
    pub version: Option<TaskVersion>,
    /// Why the file that is there now is not in service.
    pub load_error: Option<LoadError>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UniqueMode;

    #[test]
    fn a_task_says_how_its_jobs_are_retried_and_what_they_must_not_double() {
        let text =
            r#"{"defaults": {"unique": {"key": "all", "states": ["completed"]}, "backoff": {"delays_ms": [0, 5000]}}}"#;
        let defaults = TaskDescription::parse(text).unwrap().defaults;
        let unique = defaults.unique.unwrap();
        assert_eq!((unique.key.as_deref(), unique.states.len(), unique.mode), (Some("all"), 1, UniqueMode::Keep));
        assert_eq!(defaults.backoff.unwrap().delay(2, 0.0), Duration::from_secs(5));
        let arguments = TaskDescription::parse(r#"{"defaults": {"unique": {}}}"#).unwrap().defaults;
        assert_eq!(arguments.unique, Some(UniqueRequest::default()));
        assert!(TaskDescription::parse(r#"{"defaults": {"unique": {"mode": "maybe"}}}"#).is_err());
    }
}
