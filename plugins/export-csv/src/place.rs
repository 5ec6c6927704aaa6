//! Where a record stands in its source, and what is said of a broken one.

use std::fmt;

use windlass_guest::{TaskError, fatal};

/// Where a record stands in its source, as a person would look for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Line(u64),
    Record(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(number) => write!(f, "line {number}"),
            Self::Record(number) => write!(f, "record {number}"),
        }
    }
}

impl Place {
    /// The record here cannot be read.
    pub(crate) fn broken(self, error: &serde_json::Error) -> TaskError {
        let text = error.to_string();
        // Its own place is counted from the start of this record: in one line that helps, in an array it misleads.
        let fault = text.rfind(" at line ").map_or(text.as_str(), |end| &text[..end]);
        match self {
            Self::Line(_) if error.column() > 0 => {
                fatal(format!("source: {self} is broken: {fault} (column {})", error.column()))
            }
            _ => fatal(format!("source: {self} is broken: {fault}")),
        }
    }
}
