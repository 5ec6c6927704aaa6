//! One run of a job and how it ended.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Bill, JobId, JsonText, Timestamp, WorkerId};

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
    /// The component computed for longer than it may.
    CpuTime,
    /// The component used up its fuel.
    OutOfFuel,
    /// The output is larger than may be kept.
    OutputTooLarge,
    /// The files in `/out` are more, or larger, than may be published.
    ArtifactsTooLarge,
    /// The scratch directory, or a granted one, is full.
    ScratchFull,
    /// The component handed more to the host in one call than it may.
    HostcallTooLarge,
    /// The component held more handles than it may.
    TooManyHandles,
    /// The component enqueued more jobs than it may.
    TooManyEnqueues,
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
    /// All of them.
    pub const ALL: [Self; 18] = [
        Self::Retryable,
        Self::Fatal,
        Self::Trap,
        Self::Timeout,
        Self::OutOfMemory,
        Self::CpuTime,
        Self::OutOfFuel,
        Self::OutputTooLarge,
        Self::ArtifactsTooLarge,
        Self::ScratchFull,
        Self::HostcallTooLarge,
        Self::TooManyHandles,
        Self::TooManyEnqueues,
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
            Self::CpuTime => "cpu_time",
            Self::OutOfFuel => "out_of_fuel",
            Self::OutputTooLarge => "output_too_large",
            Self::ArtifactsTooLarge => "artifacts_too_large",
            Self::ScratchFull => "scratch_full",
            Self::HostcallTooLarge => "hostcall_too_large",
            Self::TooManyHandles => "too_many_handles",
            Self::TooManyEnqueues => "too_many_enqueues",
            Self::Denied => "denied",
            Self::WorkerLost => "worker_lost",
            Self::Cancelled => "cancelled",
            Self::Host => "host",
            Self::Expired => "expired",
        }
    }

    /// Whether another attempt could end otherwise with the same arguments and the same component.
    ///
    /// Of the limits: time, CPU time and memory depend on how busy the machine is, on timing and on what the last attempt
    /// left in its checkpoint; a directory that was full may have been cleared, and `/tmp` outlives an attempt. Fuel counts
    /// instructions, and what a component returns, leaves in `/out`, hands over in one call, holds or enqueues follows
    /// from its code and its arguments: it would come out the same.
    #[must_use]
    pub const fn may_pass_next_time(self) -> bool {
        match self {
            Self::Retryable
            | Self::Trap
            | Self::Timeout
            | Self::OutOfMemory
            | Self::CpuTime
            | Self::ScratchFull
            | Self::WorkerLost
            | Self::Host => true,
            Self::Fatal
            | Self::OutOfFuel
            | Self::OutputTooLarge
            | Self::ArtifactsTooLarge
            | Self::HostcallTooLarge
            | Self::TooManyHandles
            | Self::TooManyEnqueues
            | Self::Denied
            | Self::Cancelled
            | Self::Expired => false,
        }
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
    /// What it used; absent while it runs, and if its guest never started or its worker died.
    pub bill: Option<Bill>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_one_name_everywhere() {
        for kind in ErrorKind::ALL {
            assert_eq!(kind.as_str().parse::<ErrorKind>().unwrap(), kind);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
    }
}
