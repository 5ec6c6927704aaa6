//! Queues: what they may run at once and in a period, whether they are paused, how long their jobs are kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{JobState, QueueName, Timestamp};

/// How many jobs may run at once: 1 to 1,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "u32")]
pub struct MaxRunning(u32);

/// A number of jobs out of bounds.
#[derive(Debug, thiserror::Error)]
#[error("a limit lies between 1 and 1000000 jobs, this one is {0}; null lifts it")]
pub struct MaxRunningError(i64);

impl MaxRunning {
    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<i64> for MaxRunning {
    type Error = MaxRunningError;

    fn try_from(raw: i64) -> Result<Self, MaxRunningError> {
        match u32::try_from(raw) {
            Ok(value @ 1..=1_000_000) => Ok(Self(value)),
            _ => Err(MaxRunningError(raw)),
        }
    }
}

impl From<MaxRunning> for u32 {
    fn from(max: MaxRunning) -> Self {
        max.0
    }
}

/// How many jobs may start within a period, whichever part of the time one looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    limit: u32,
    period: Duration,
}

/// A rate out of bounds.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// Too few or too many jobs.
    #[error("the limit of a rate lies between 1 and 100000 jobs, this one is {0}")]
    Limit(u64),
    /// Too short or too long.
    #[error("the period of a rate lies between 1 and 86400000 ms (a day), this one is {0}")]
    Period(u64),
}

impl Rate {
    /// At most 100,000: a claim adds up what started within the period.
    pub const LIMIT_MAX: u32 = 100_000;
    /// A day.
    pub const PERIOD_MAX: Duration = Duration::from_secs(24 * 3_600);

    /// So many jobs within so many milliseconds.
    pub fn new(limit: u64, period_ms: u64) -> Result<Self, RateError> {
        let period = Duration::from_millis(period_ms);
        if period.is_zero() || period > Self::PERIOD_MAX {
            return Err(RateError::Period(period_ms));
        }
        match u32::try_from(limit) {
            Ok(limit @ 1..=Self::LIMIT_MAX) => Ok(Self { limit, period }),
            _ => Err(RateError::Limit(limit)),
        }
    }

    /// How many jobs may start within the period.
    #[must_use]
    pub const fn limit(self) -> u32 {
        self.limit
    }

    /// The period.
    #[must_use]
    pub const fn period(self) -> Duration {
        self.period
    }
}

/// How long a finished job is kept: up to ten years.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeepTime(Duration);

/// A time out of bounds.
#[derive(Debug, thiserror::Error)]
#[error("a finished job is kept for at most 315619200000 ms (ten years), not for {0}")]
pub struct KeepTimeError(u64);

impl KeepTime {
    /// So many milliseconds; 0 keeps nothing.
    pub fn from_millis(millis: u64) -> Result<Self, KeepTimeError> {
        // Ten years, with the leap days.
        const MAX: u64 = 3_653 * 24 * 3_600_000;
        if millis > MAX { Err(KeepTimeError(millis)) } else { Ok(Self(Duration::from_millis(millis))) }
    }

    /// So many days.
    #[must_use]
    pub const fn from_days(days: u16) -> Self {
        // Sixteen bits of days would be more than ten years; nobody writes such a constant.
        Self(Duration::from_secs(days as u64 * 24 * 3_600))
    }

    /// The time.
    #[must_use]
    pub const fn get(self) -> Duration {
        self.0
    }

    /// The time in milliseconds.
    #[must_use]
    pub fn as_millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }
}

/// What limits a queue; what is absent is not limited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueLimits {
    /// How many of its jobs may run at once, on all workers together.
    pub max_running: Option<MaxRunning>,
    /// How many of its jobs with the same concurrency key may run at once. Jobs without a key are not limited by it.
    pub max_running_per_key: Option<MaxRunning>,
    /// How many of its jobs may start within a period.
    pub rate: Option<Rate>,
}

/// How long a queue's finished jobs are kept, by state; what is absent is as the daemon's settings say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueKeep {
    /// Jobs that ended well.
    pub completed: Option<KeepTime>,
    /// Jobs that failed for good.
    pub discarded: Option<KeepTime>,
    /// Jobs that somebody cancelled.
    pub cancelled: Option<KeepTime>,
}

/// What can be set about a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueSettings {
    /// Since when none of its jobs is claimed; absent if they are.
    pub paused_at: Option<Timestamp>,
    /// What limits it.
    pub limits: QueueLimits,
    /// How long its finished jobs are kept.
    pub keep: QueueKeep,
}

/// What becomes of one setting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// It stays.
    #[default]
    Keep,
    /// It is taken away.
    Clear,
    /// It gets this value.
    Set(T),
}

impl<T> Patch<T> {
    fn apply(self, to: &mut Option<T>) {
        match self {
            Self::Keep => (),
            Self::Clear => *to = None,
            Self::Set(value) => *to = Some(value),
        }
    }
}

/// A change of a queue's settings.
#[derive(Clone, Copy, Debug, Default)]
pub struct QueueChange {
    /// Pauses it, or lets it go on; absent: neither.
    pub paused: Option<bool>,
    /// How many of its jobs may run at once.
    pub max_running: Patch<MaxRunning>,
    /// How many of its jobs with the same concurrency key may run at once.
    pub max_running_per_key: Patch<MaxRunning>,
    /// How many of its jobs may start within a period.
    pub rate: Patch<Rate>,
    /// How long completed jobs are kept.
    pub keep_completed: Patch<KeepTime>,
    /// How long discarded jobs are kept.
    pub keep_discarded: Patch<KeepTime>,
    /// How long cancelled jobs are kept.
    pub keep_cancelled: Patch<KeepTime>,
}

impl QueueSettings {
    /// What they are after a change. A queue that is paused already stays paused since it first was.
    #[must_use]
    pub fn after(mut self, change: &QueueChange, now: Timestamp) -> Self {
        match change.paused {
            None => (),
            Some(true) => self.paused_at = self.paused_at.or(Some(now)),
            Some(false) => self.paused_at = None,
        }
        change.max_running.apply(&mut self.limits.max_running);
        change.max_running_per_key.apply(&mut self.limits.max_running_per_key);
        change.rate.apply(&mut self.limits.rate);
        change.keep_completed.apply(&mut self.keep.completed);
        change.keep_discarded.apply(&mut self.keep.discarded);
        change.keep_cancelled.apply(&mut self.keep.cancelled);
        self
    }
}

/// How many jobs there are, by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts([u64; JobState::ALL.len()]);

impl JobCounts {
    /// How many jobs are in a state.
    #[must_use]
    pub const fn get(&self, state: JobState) -> u64 {
        self.0[state as usize]
    }

    /// Counts so many more in a state.
    pub fn add(&mut self, state: JobState, jobs: u64) {
        let count = &mut self.0[state as usize];
        *count = count.saturating_add(jobs);
    }
}

/// A queue as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueInfo {
    /// Its name.
    pub name: QueueName,
    /// What was set about it.
    pub settings: QueueSettings,
    /// How many jobs it has.
    pub counts: JobCounts,
    /// The `run_at` of the available job that has waited longest.
    pub oldest_available_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_leaves_what_it_does_not_name() {
        let rate = Rate::new(10, 1_000).unwrap();
        let first = QueueChange {
            paused: Some(true),
            max_running: Patch::Set(MaxRunning(3)),
            rate: Patch::Set(rate),
            ..QueueChange::default()
        };
        let settings = QueueSettings::default().after(&first, Timestamp::from_micros(7));
        let again = QueueChange { paused: Some(true), max_running: Patch::Clear, ..QueueChange::default() };
        let settings = settings.after(&again, Timestamp::from_micros(9));
        assert_eq!(settings.paused_at, Some(Timestamp::from_micros(7)), "since it first was");
        assert_eq!((settings.limits.max_running, settings.limits.rate), (None, Some(rate)));
        let resumed = settings.after(&QueueChange { paused: Some(false), ..QueueChange::default() }, Timestamp::MAX);
        assert_eq!(resumed, QueueSettings { paused_at: None, ..settings });
    }

    #[test]
    fn limits_out_of_bounds_are_refused_with_their_bounds() {
        assert!(MaxRunning::try_from(0).is_err() && MaxRunning::try_from(1_000_001).is_err());
        assert_eq!(Rate::new(0, 1), Err(RateError::Limit(0)));
        assert_eq!(Rate::new(1, 0), Err(RateError::Period(0)));
        assert_eq!(Rate::new(1, 86_400_001), Err(RateError::Period(86_400_001)));
        assert!(Rate::new(100_000, 86_400_000).is_ok());
        assert!(KeepTime::from_millis(315_619_200_001).is_err());
        assert_eq!(KeepTime::from_days(7).as_millis(), 604_800_000);
    }

    #[test]
    fn every_state_has_a_count_of_its_own() {
        let mut counts = JobCounts::default();
        for (state, jobs) in JobState::ALL.into_iter().zip(1..) {
            counts.add(state, jobs);
        }
        let found: Vec<_> = JobState::ALL.iter().map(|state| counts.get(*state)).collect();
        assert_eq!(found, [1, 2, 3, 4, 5, 6, 7]);
    }
}
