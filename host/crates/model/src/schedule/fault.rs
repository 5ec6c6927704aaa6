//! What is wrong with a schedule's definition, all of it at once.

use std::fmt;

/// What is wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleFault {
    /// Which field: `when/cron`.
    pub field: String,
    /// What is wrong with it, and the remedy.
    pub message: String,
}

/// All that is wrong with a definition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct ScheduleFaults(pub Vec<ScheduleFault>);

impl fmt::Display for ScheduleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.field, self.message)
    }
}

/// The faults that were found so far.
#[derive(Default)]
pub(super) struct Faults(Vec<ScheduleFault>);

impl Faults {
    /// Notes a fault unless something holds.
    pub(super) fn demand(&mut self, holds: bool, field: &str, message: impl FnOnce() -> String) {
        if !holds {
            self.note(field, message());
        }
    }

    /// Notes a fault.
    pub(super) fn note(&mut self, field: &str, message: String) {
        self.0.push(ScheduleFault { field: field.to_owned(), message });
    }

    /// The value, or its fault.
    pub(super) fn take<T, E: fmt::Display>(&mut self, field: &str, found: Result<T, E>) -> Option<T> {
        found.map_err(|error| self.note(field, error.to_string())).ok()
    }

    pub(super) fn end<T>(self, value: Option<T>) -> Result<T, ScheduleFaults> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(ScheduleFaults(self.0)),
        }
    }
}
