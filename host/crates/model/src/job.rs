//! A job and its states.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{AttemptError, Backoff, Bill, JobId, JsonText, Progress, QueueName, TaskName, Timestamp, WorkerId};

/// Where a job is in its life.
///
/// ```text
///            enqueue                claim                 ok
/// scheduled ─────────▶ available ─────────▶ running ──────────────▶ completed
///     ▲   run_at comes    ▲                  │ │ │  fatal, or attempts spent
///     │                   │  delay over      │ │ └──────────────▶ discarded
///     │ snooze            └── retryable ◀────┘ │  cancel
///     └────────────────────────────────────────┴────────────────▶ cancelled
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for its `run_at`; upkeep makes it available.
    Scheduled,
    /// Can be claimed by any worker that has its task.
    Available,
    /// A worker holds it, by a lease.
    Running,
    /// An attempt failed; it waits for its `run_at` to be tried again.
    Retryable,
    /// It ended well. Final.
    Completed,
    /// It failed for good. Final.
    Discarded,
    /// Somebody cancelled it. Final.
    Cancelled,
}

/// A text that names no state.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no state: scheduled, available, running, retryable, completed, discarded, cancelled")]
pub struct UnknownState(String);

impl JobState {
    /// All states, in the order of a job's life.
    pub const ALL: [Self; 7] = [
        Self::Scheduled,
        Self::Available,
        Self::Running,
        Self::Retryable,
        Self::Completed,
        Self::Discarded,
        Self::Cancelled,
    ];

    /// Whether the job is over. Exactly the final states have a `finished_at`.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Discarded | Self::Cancelled)
    }

    /// The name in SQL, JSON and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Available => "available",
            Self::Running => "running",
            Self::Retryable => "retryable",
            Self::Completed => "completed",
            Self::Discarded => "discarded",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for JobState {
    type Err = UnknownState;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|state| state.as_str() == raw).ok_or_else(|| UnknownState(raw.to_owned()))
    }
}

/// Which of two available jobs runs first: the smaller number. From -100 to 100, 0 by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i16")]
pub struct Priority(i16);

/// A priority out of bounds.
#[derive(Debug, thiserror::Error)]
#[error("a priority lies between -100 and 100 (smaller runs first), this one is {0}")]
pub struct PriorityError(i64);

impl TryFrom<i64> for Priority {
    type Error = PriorityError;

    fn try_from(raw: i64) -> Result<Self, PriorityError> {
        match i16::try_from(raw) {
            Ok(value) if (-100..=100).contains(&value) => Ok(Self(value)),
            _ => Err(PriorityError(raw)),
        }
    }
}

impl From<Priority> for i16 {
    fn from(priority: Priority) -> Self {
        priority.0
    }
}

/// One durable request to run a task.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The task that handles it.
    pub task: TaskName,
    /// Its queue.
    pub queue: QueueName,
    /// Which job goes first.
    pub priority: Priority,
    /// Where it is in its life.
    pub state: JobState,
    /// Arguments: a JSON object.
    pub args: JsonText,
    /// What the handler returned, once the job is completed.
    pub output: Option<JsonText>,
    /// How the last attempt failed, if it did.
    pub error: Option<AttemptError>,
    /// The number of the attempt that runs or ran last; 0 before the first.
    pub attempt: u32,
    /// How many attempts it has.
    pub max_attempts: u32,
    /// How long one attempt may take.
    pub timeout: Option<Duration>,
    /// How long it waits between attempts.
    pub backoff: Backoff,
    /// Goes up by one with each claim and never back: whoever holds an older one has lost the job.
    pub lease: u64,
    /// Who holds it, while it runs.
    pub worker_id: Option<WorkerId>,
    /// In how many crashes of a worker it was running.
    pub crash_count: u32,
    /// How often in a row the host failed it.
    pub host_fault_count: u32,
    /// When somebody asked to cancel it while it ran.
    pub cancel_requested_at: Option<Timestamp>,
    /// How far the last attempt came.
    pub progress: Progress,
    /// Labels to filter by.
    pub tags: Vec<String>,
    /// What the application keeps with the job.
    pub metadata: JsonText,
    /// The SHA-256 of the component that ran the last attempt, in hexadecimal.
    pub plugin_digest: Option<String>,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When it may start, or may have started.
    pub run_at: Timestamp,
    /// When the last attempt started.
    pub started_at: Option<Timestamp>,
    /// When it came to a final state.
    pub finished_at: Option<Timestamp>,
    /// When it is too late to start it.
    pub expires_at: Option<Timestamp>,
    /// Jobs with the same one share the queue's limit for each key.
    pub concurrency_key: Option<String>,
    /// The job that enqueued it.
    pub parent_id: Option<JobId>,
    /// How many of the jobs that it comes after have not ended yet.
    pub waits_for: u32,
    /// What the last attempt used that ended; absent if there is none or nobody told.
    pub bill: Option<Bill>,
}
