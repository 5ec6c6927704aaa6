//! What becomes of ticks that were missed, and of those that come while a run is under way.

use serde::{Deserialize, Serialize};

/// What becomes of ticks that nobody acted on in time: the daemon was down, the machine slept, its clock jumped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Missed {
    /// They are left out; the next one fires at its time.
    Skip,
    /// One run stands for all of them.
    #[default]
    Coalesce,
    /// Each has its run, the last `max` of them at most, the oldest first.
    CatchUp {
        /// How many, 1 to 1,000.
        max: u32,
    },
}

impl Missed {
    /// The most runs that one decision enqueues.
    pub const CATCH_UP_MAX: u32 = 1_000;
}

/// What becomes of a tick that comes while a run of the same schedule is under way: from its enqueue to its final state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// It is left out.
    #[default]
    Skip,
    /// It runs beside it.
    Allow,
    /// It waits for it. One waits at most; the others are left out.
    QueueOne,
}
