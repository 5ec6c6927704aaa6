//! What is about to be enqueued; everything in it has been checked and every default filled in.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Backoff, JobId, JobState, JsonText, Priority, QueueName, TaskName, Timestamp};

/// A job that is about to be enqueued.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Made by the caller, so that it can be answered without asking the database.
    pub id: JobId,
    /// The task that handles it.
    pub task: TaskName,
    /// Its queue.
    pub queue: QueueName,
    /// Which job goes first.
    pub priority: Priority,
    /// Arguments: a JSON object.
    pub args: JsonText,
    /// When it may start; now if it does not say.
    pub run_at: Option<RunAt>,
    /// When it is too late to start it; never if it does not say.
    pub expires_at: Option<RunAt>,
    /// How many attempts it has.
    pub max_attempts: u32,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// How long it waits between attempts.
    pub backoff: Backoff,
    /// Jobs with the same one share the queue's limit for each key.
    pub concurrency_key: Option<String>,
    /// What no other job may be at the same time.
    pub unique: Option<Unique>,
    /// The jobs that must end before it may start.
    pub after: Vec<JobId>,
    /// What becomes of it if one of them does not end well.
    pub on_failure: OnFailure,
    /// The job that enqueues it, if it is one that does.
    pub parent: Option<Parent>,
    /// Labels to filter by.
    pub tags: Vec<String>,
    /// A JSON object that the application keeps with the job.
    pub metadata: JsonText,
}

/// When a new job may start, or may not start any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunAt {
    /// At this time.
    Time(Timestamp),
    /// So long after it was enqueued, on the database's clock.
    After(Duration),
}

impl RunAt {
    /// The time, for a job that is enqueued `now`.
    #[must_use]
    pub fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Time(time) => time,
            Self::After(span) => now.plus(span),
        }
    }
}

/// What no two jobs may be at the same time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unique {
    /// What is compared. It holds the task's name or whatever else keeps different things apart.
    pub key: String,
    /// In which final states the job goes on holding the key. Until it ends it holds it in every state.
    pub held_in: FinalStates,
    /// What happens to a job whose key is held already.
    pub mode: UniqueMode,
}

/// How an application, or a task's defaults, ask for a job to be unique.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UniqueRequest {
    /// What is compared among the jobs of the task: 1 to 200 characters. Its arguments if absent.
    pub key: Option<String>,
    /// In which final states a job goes on holding its key. Until it ends it holds it in every state.
    pub states: Vec<JobState>,
    /// What happens to a job whose key is held already.
    pub mode: UniqueMode,
}

/// What happens to a job whose key is held already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UniqueMode {
    /// The job that is there stands for it.
    #[default]
    Keep,
    /// The same; and as long as that one has not started, it takes the new one's arguments, tags and metadata, and its
    /// `run_at` if it names one (debounce).
    Replace,
    /// It is refused.
    Reject,
}

/// A set of final states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FinalStates(u8);

impl FinalStates {
    /// The final states in a list; the others are not kept, because until it ends a job holds its key anyway.
    #[must_use]
    pub fn among(states: &[JobState]) -> Self {
        Self(states.iter().fold(0, |bits, state| bits | Self::bit(*state)))
    }

    /// As a number, for the index in the database: completed 1, discarded 2, cancelled 4.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    const fn bit(state: JobState) -> u8 {
        match state {
            JobState::Completed => 1,
            JobState::Discarded => 2,
            JobState::Cancelled => 4,
            JobState::Scheduled | JobState::Available | JobState::Running | JobState::Retryable => 0,
        }
    }
}

/// What becomes of a job if one that it comes after is discarded or cancelled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// It is cancelled.
    #[default]
    Cancel,
    /// It runs as if that one had ended well.
    Run,
}

impl OnFailure {
    /// The name in SQL and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Run => "run",
        }
    }
}

/// The running job that enqueues another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// The job.
    pub id: JobId,
    /// The lease that it runs under: one that has lost its job enqueues nothing.
    pub lease: u64,
    /// Which of its requests it is. An attempt that makes the same request again gets the job that is there.
    pub child_key: String,
}

/// Jobs that are enqueued together, all or none.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The jobs.
    pub jobs: Vec<NewJob>,
    /// For a request that may come twice.
    pub idempotency: Option<Idempotency>,
}

/// How a request that comes twice is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// What its sender called it.
    pub key: String,
    /// What it asked for: the same key with another one is a mistake.
    pub fingerprint: String,
}

impl From<Vec<NewJob>> for Submission {
    fn from(jobs: Vec<NewJob>) -> Self {
        Self { jobs, idempotency: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_final_states_go_on_holding_a_key() {
        assert_eq!(FinalStates::among(&JobState::ALL).bits(), 7);
        assert_eq!(FinalStates::among(&[JobState::Running, JobState::Discarded]).bits(), 2);
        assert_eq!(FinalStates::default().bits(), 0);
    }
}
