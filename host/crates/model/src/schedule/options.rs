//! What a schedule says of the jobs that it enqueues, besides when: the same words as in a request to enqueue one.

use serde::Serialize;

use super::fault::Faults;
use crate::{Backoff, JsonText, Priority, QueueName, UniqueRequest};

/// The largest arguments, in bytes of JSON.
const ARGS_MAX: usize = 1 << 20;

/// The largest metadata, in bytes of JSON.
const METADATA_MAX: usize = 16 << 10;

const ATTEMPTS_MAX: u32 = 1_000;

/// A week.
const TIMEOUT_MAX_MS: u64 = 7 * 24 * 3_600_000;

/// Ten years, with the leap days.
const EXPIRES_MAX_MS: u64 = 3_653 * 24 * 3_600_000;

const TAGS_MAX: usize = 32;
const TAG_LENGTH_MAX: usize = 100;
const KEY_LENGTH_MAX: usize = 200;

/// What a schedule says of its jobs. What is absent is taken from the task's own defaults, then from the daemon's, when a job is
/// enqueued.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JobOptions {
    /// The arguments: a JSON object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub args: Option<JsonText>,
    /// The queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<QueueName>,
    /// Which job goes first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// How many milliseconds after its tick it is too late to start the job. Never if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in_ms: Option<u64>,
    /// How many attempts it has, 1 to 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_attempts: Option<u32>,
    /// How many milliseconds one attempt may take, up to a week.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// How long it waits between attempts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backoff: Option<Backoff>,
    /// Jobs of a queue with the same key share its limit for each key: 1 to 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency_key: Option<String>,
    /// What no other job of the task may be at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique: Option<UniqueRequest>,
    /// Labels to filter by: at most 32, each of 1 to 100 characters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// A JSON object of at most 16 KiB that is kept with each job.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<JsonText>,
}

impl JobOptions {
    /// Notes what is out of bounds.
    pub(super) fn check(&self, faults: &mut Faults) {
        check_object(faults, "args", self.args.as_ref(), ARGS_MAX);
        check_object(faults, "metadata", self.metadata.as_ref(), METADATA_MAX);
        let within = |value: Option<u64>, most: u64| value.is_none_or(|value| (1..=most).contains(&value));
        faults.demand(within(self.max_attempts.map(u64::from), u64::from(ATTEMPTS_MAX)), "max_attempts", || {
            format!("must lie between 1 and {ATTEMPTS_MAX}")
        });
        faults.demand(within(self.timeout_ms, TIMEOUT_MAX_MS), "timeout_ms", || {
            format!("must lie between 1 and {TIMEOUT_MAX_MS} (a week)")
        });
        faults.demand(within(self.expires_in_ms, EXPIRES_MAX_MS), "expires_in_ms", || {
            format!("must lie between 1 and {EXPIRES_MAX_MS} (ten years)")
        });
        faults.demand(self.tags.len() <= TAGS_MAX, "tags", || {
            format!("has {} tags; at most {TAGS_MAX} are kept", self.tags.len())
        });
        for (index, tag) in self.tags.iter().enumerate().take(TAGS_MAX) {
            check_text(faults, &format!("tags/{index}"), tag, TAG_LENGTH_MAX);
        }
        if let Some(key) = &self.concurrency_key {
            check_text(faults, "concurrency_key", key, KEY_LENGTH_MAX);
        }
        let Some(unique) = &self.unique else { return };
        if let Some(key) = &unique.key {
            check_text(faults, "unique/key", key, KEY_LENGTH_MAX);
        }
        for (index, state) in unique.states.iter().enumerate() {
            faults.demand(state.is_final(), &format!("unique/states/{index}"), || {
                format!("is {state}, in which a job always holds its key: name final states only")
            });
        }
    }
}

fn check_object(faults: &mut Faults, field: &str, value: Option<&JsonText>, most: usize) {
    let Some(value) = value else { return };
    let found = value.as_str().len();
    faults.demand(value.is_object(), field, || "must be a JSON object".to_owned());
    faults.demand(found <= most, field, || format!("has {found} bytes; at most {most} are kept"));
}

fn check_text(faults: &mut Faults, field: &str, text: &str, most: usize) {
    let found = text.chars().count();
    faults.demand((1..=most).contains(&found), field, || format!("has {found} characters; it takes 1 to {most}"));
    faults.demand(!text.contains(char::is_control), field, || {
        "has a control character, which cannot stand here".to_owned()
    });
}
