//! A job's history: every change of state and every step, in order.

use crate::{JobState, Progress, Timestamp};

/// One entry of a job's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobEvent {
    /// Its place in the job's history: the first is 1, later ones have greater numbers. There are gaps.
    pub seq: u64,
    /// When it happened.
    pub at: Timestamp,
    /// The number of the attempt that it belongs to; 0 before the first.
    pub attempt: u32,
    /// What happened.
    pub kind: EventKind,
}

/// What happened to a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It went to another state.
    State {
        /// The state it went to.
        state: JobState,
        /// Why, where the state alone does not say it.
        reason: Option<String>,
    },
    /// Its handler moved to another step.
    Step(Progress),
}
