//! The definition of a schedule.

use std::time::Duration;

use super::options::JobOptions;
use super::policy::{Missed, Overlap};
use super::timing::Timing;
use crate::{ScheduleName, TaskName};

/// A schedule: which task it runs, how, and when.
///
/// As JSON, with the defaults of what is absent:
///
/// ```json
/// {"name": "nightly-export", "task": "export-csv", "args": {"source": "flights.json"},
///  "when": {"cron": "0 2 * * 1-5", "time_zone": "Europe/Berlin"},
///  "jitter_ms": 0, "missed": "coalesce", "overlap": "skip"}
/// ```
///
/// In place of `cron` there is `{"every_ms": 300000, "from": "start"}` (or `"end"`) and `{"at": "2026-12-24T18:00:00"}`. Further keys:
/// `starts_at`, `ends_at`, `except` (dates), `calendars` (names of lists of dates), and those of a request to enqueue a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Its name.
    pub name: ScheduleName,
    /// The task of its jobs.
    pub task: TaskName,
    /// What else it says of them.
    pub job: JobOptions,
    /// When it fires.
    pub timing: Timing,
    /// How late after its tick a job may start at most, so that not all of them start at once. How late each starts is drawn from
    /// its name and the tick, so that every host draws the same. None if nothing is said; a day at most.
    pub jitter: Duration,
    /// What becomes of ticks that nobody acted on in time.
    pub missed: Missed,
    /// What becomes of a tick that comes while a run is under way.
    pub overlap: Overlap,
}

impl Schedule {
    /// The largest jitter: a day.
    pub const JITTER_MAX: Duration = Duration::from_secs(24 * 3_600);
}
