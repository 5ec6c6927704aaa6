//! A job's log.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Where a line of a job's log comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogStream {
    /// The guest's standard output.
    Stdout,
    /// The guest's standard error.
    Stderr,
    /// The daemon itself, for example where it cut the log.
    Host,
}

/// A text that names no stream.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no log stream")]
pub struct UnknownLogStream(String);

impl LogStream {
    /// The name in SQL and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Host => "host",
        }
    }
}

impl fmt::Display for LogStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for LogStream {
    type Err = UnknownLogStream;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        [Self::Stdout, Self::Stderr, Self::Host]
            .into_iter()
            .find(|stream| stream.as_str() == raw)
            .ok_or_else(|| UnknownLogStream(raw.to_owned()))
    }
}

/// One line of a job's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Its place in the job's log: 1, 2, 3. Given by the store; 0 before that.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// The attempt that wrote it.
    pub attempt: u32,
    /// Where it comes from.
    pub stream: LogStream,
    /// The line, without its end.
    pub text: String,
}
