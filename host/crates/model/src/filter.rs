//! Which jobs a list shows.

use serde::{Deserialize, Serialize};

use crate::{JobId, JobState, QueueName, TaskName, Timestamp};

/// Which jobs a list shows; what is empty or absent does not narrow it. The newest come first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobFilter {
    /// In one of these states.
    pub states: Vec<JobState>,
    /// Of this task.
    pub task: Option<TaskName>,
    /// Of this queue.
    pub queue: Option<QueueName>,
    /// With this tag.
    pub tag: Option<String>,
    /// Enqueued at this time or later.
    pub created_from: Option<Timestamp>,
    /// Enqueued before this time.
    pub created_before: Option<Timestamp>,
    /// After this job, in the order of the list: where the page before ended.
    pub after: Option<JobId>,
}

/// How many rows a page has: 1 to 500.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageSize(u16);

impl PageSize {
    /// The most rows that a page can have.
    pub const MAX: u16 = 500;

    /// The number, if it lies between 1 and [`PageSize::MAX`].
    #[must_use]
    pub fn new(rows: u16) -> Option<Self> {
        (1..=Self::MAX).contains(&rows).then_some(Self(rows))
    }

    /// The number of rows.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl Default for PageSize {
    /// 50 rows.
    fn default() -> Self {
        Self(50)
    }
}
