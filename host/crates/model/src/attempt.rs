//! One run of a job and how it ended.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{JobId, JsonText, Timestamp, WorkerId};

/// Why an attempt did not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The handler said that it may work another time.
    Retryable,
    /// The handler said that it never will.
    Fatal,
    /// The component trapped: a panic, an abort, a wild pointer.
    Trap,
    /// The attempt took longer than it may.
    Timeout,
    /// The component wanted more memory than it may have.
    OutOfMemory,
    /// The output is larger than may be kept.
    OutputTooLarge,
    /// The component wanted something that it was not granted.
    Denied,
    /// The worker that ran it died.
    WorkerLost,
    /// Somebody cancelled the job.
    Cancelled,
    /// The daemon itself failed: not the handler's fault.
    Host,
    /// It could not be started before it was too late. No attempt has this kind, only a job.
    Expired,
}

/// A text that names no kind of error.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no kind of error")]
pub struct UnknownErrorKind(String);

impl ErrorKind {
    const ALL: [Self; 11] = [
        Self::Retryable,
        Self::Fatal,
        Self::Trap,
        Self::Timeout,
        Self::OutOfMemory,
        Self::OutputTooLarge,
        Self::Denied,
        Self::WorkerLost,
        Self::Cancelled,
        Self::Host,
        Self::Expired,
    ];

    /// The name in SQL, JSON and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retryable => "retryable",
            Self::Fatal => "fatal",
            Self::Trap => "trap",
            Self::Timeout => "timeout",
            Self::OutOfMemory => "out_of_memory",
            Self::OutputTooLarge => "output_too_large",
            Self::Denied => "denied",
            Self::WorkerLost => "worker_lost",
            Self::Cancelled => "cancelled",
            Self::Host => "host",
            Self::Expired => "expired",
        }
    }

    /// Whether another attempt could end otherwise with the same arguments and the same component.
    #[must_use]
    pub const fn may_pass_next_time(self) -> bool {
        !matches!(self, Self::Fatal | Self::OutputTooLarge | Self::Denied | Self::Cancelled | Self::Expired)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ErrorKind {
    type Err = UnknownErrorKind;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == raw).ok_or_else(|| UnknownErrorKind(raw.to_owned()))
    }
}

/// A failed attempt's reason, for people and for programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptError {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// What happened, in words.
    pub message: String,
}

impl AttemptError {
    /// How many bytes of a message are kept.
    pub const MESSAGE_MAX: usize = 16 * 1_024;

    /// An error whose message is cut to [`AttemptError::MESSAGE_MAX`].
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let mut message = message.into();
        if message.len() > Self::MESSAGE_MAX {
            message.truncate(message.floor_char_boundary(Self::MESSAGE_MAX));
            message.push_str(" … (cut)");
        }
        Self { kind, message }
    }
}

/// How one attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// It ended well, with this output.
    Completed(JsonText),
    /// It failed, and that is the handler's or its component's doing.
    Failed(AttemptError),
    /// The handler asked to be run again later.
    Snoozed(Duration),
    /// The handler stopped, or was stopped, because the job was cancelled.
    Cancelled,
    /// It was interrupted because the daemon shuts down.
    Interrupted,
    /// The daemon could not run it or could not keep what it made.
    HostFault(String),
}

/// One attempt, as it is kept.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The job.
    pub job_id: JobId,
    /// The lease that it ran under: unique within the job.
    pub lease: u64,
    /// Its number. A number is seen again after a snooze, a shutdown or a crash.
    pub attempt: u32,
    /// Who ran it.
    pub worker_id: WorkerId,
    /// The component that ran, if it came so far.
    pub plugin_digest: Option<String>,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended; absent while it runs.
    pub ended_at: Option<Timestamp>,
    /// Why it did not end well, if it did not.
    pub error: Option<AttemptError>,
}
