//! Cancels and retries of all jobs that match a filter.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::{JobFilter, OperationId, Timestamp};

/// What an operation does with each job that it meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Cancels it, or tells its handler if it runs; one that is over stays as it is.
    Cancel,
    /// Makes it available now; one that runs stays as it is.
    Retry,
}

/// A text that names no kind.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no kind of operation: cancel, retry")]
pub struct UnknownOperationKind(String);

impl OperationKind {
    /// The name in SQL and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Retry => "retry",
        }
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for OperationKind {
    type Err = UnknownOperationKind;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        [Self::Cancel, Self::Retry]
            .into_iter()
            .find(|kind| kind.as_str() == raw)
            .ok_or_else(|| UnknownOperationKind(raw.to_owned()))
    }
}

/// A cancel or a retry of all jobs that match a filter and that were there when it was asked for. It is done step by step.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its id.
    pub id: OperationId,
    /// What it does.
    pub kind: OperationKind,
    /// With which jobs.
    pub filter: JobFilter,
    /// How many jobs it has looked at.
    pub seen: u64,
    /// How many of these it has cancelled, told to stop, or made available.
    pub changed: u64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it had seen all of them.
    pub finished_at: Option<Timestamp>,
}
