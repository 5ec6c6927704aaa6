//! What to do about one schedule at one moment.
//!
//! A schedule's **cursor** is the tick up to which everything was decided. A decision looks at the ticks between the cursor and now,
//! says which of them get a job, and moves the cursor to the last of them: who stores it must change the cursor only if it still is
//! where the decision found it, in the transaction that inserts the jobs. So no tick is decided twice, whoever decides.
//!
//! The clock may do what it likes. If it jumps forward, a bounded number of jobs follows. If it goes back by less than
//! [`CLOCK_SLACK`], nothing happens until it has passed the cursor again. If it goes back by more, it was wrong before: the cursor
//! follows it, so that the schedule does not stay silent until the wrong time comes. Ticks that had fired by the wrong clock then
//! come again; that each of them has one job at most is for the store to hold, by an index on schedule and tick.

use std::time::Duration;

use super::definition::Schedule;
use super::policy::{Missed, Overlap};
use super::timing::{NoCalendar, Ticks, When};
use super::{calendar::Calendars, jitter};
use crate::Timestamp;

/// A tick that is this late was missed. Longer than another host needs to take over from one that died.
pub const ON_TIME: Duration = Duration::from_secs(60);

/// How far the clock may lie behind the cursor before it is taken to have been wrong: more than any correction of a clock that runs
/// well.
pub const CLOCK_SLACK: Duration = Duration::from_secs(3_600);

/// How far the ticks that were left out are counted.
const COUNT_MAX: usize = 1_000;

/// How many ticks are looked at one by one: enough to count those that were left out before the most that may be caught up. Of more
/// only the last are looked for.
const DUE_MAX: usize = COUNT_MAX + Missed::CATCH_UP_MAX as usize + 1;

/// What is known of a schedule when it is decided about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduleState {
    /// When it was made. A later change of its definition does not change it.
    pub made_at: Timestamp,
    /// The tick up to which everything was decided. At first when it was made, after a pause when it was resumed: what lies before is
    /// not missed, because nobody wanted it.
    pub cursor: Timestamp,
    /// What of it is under way.
    pub runs: Runs,
    /// When its last run ended.
    pub last_end: Option<Timestamp>,
}

/// What of a schedule is under way: enqueued by a tick and not in a final state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runs {
    /// Nothing.
    None,
    /// A run, or several.
    UnderWay,
    /// A run, and one that waits for it to end.
    UnderWayAndWaiting,
}

/// What to do about a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The jobs to enqueue, the earliest tick first.
    pub fires: Vec<Fire>,
    /// How many ticks were left out because nobody acted on them in time.
    pub missed: Count,
    /// How many ticks were left out because a run was under way.
    pub overlapping: Count,
    /// Where the cursor stands now.
    pub cursor: Timestamp,
    /// Whether the cursor went back with the clock.
    pub is_set_back: bool,
    /// When to decide again.
    pub next: Next,
}

/// A job to enqueue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fire {
    /// Its tick.
    pub tick: Timestamp,
    /// When it may start: the tick and the jitter.
    pub run_at: Timestamp,
    /// What it waits for.
    pub order: FireOrder,
}

/// What the job of a tick waits for. Whatever that ends with, it runs then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FireOrder {
    /// Nothing.
    Free,
    /// The runs that are under way.
    AfterRuns,
    /// The job of the fire before it in the same decision.
    AfterPrevious,
}

/// A number of ticks, counted as far as it makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// So many.
    Exactly(usize),
    /// So many or more.
    AtLeast(usize),
}

/// When to decide again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// At this tick.
    At(Timestamp),
    /// When the run has ended.
    AfterRun,
    /// Not any more.
    Never(NeverReason),
}

/// Why a schedule does not fire any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NeverReason {
    /// Its end has come, or lies before its next tick.
    #[error("it has ended: change `ends_at` to let it go on")]
    Ended,
    /// It was to fire once, and that time has come.
    #[error("it was to fire once, and that time is over")]
    Once,
    /// Its dates are excluded, or its times are jumped over whenever they would come.
    #[error("in the next hundred years each of its dates is excluded, or the clock jumps over its times")]
    NoTick,
}

impl Default for Count {
    fn default() -> Self {
        Self::Exactly(0)
    }
}

impl Schedule {
    /// What to do about it `now`. The same state gives the same decision, whoever asks.
    pub fn decide(&self, calendars: &Calendars, state: &ScheduleState, now: Timestamp) -> Result<Decision, NoCalendar> {
        let ticks = self.timing.ticks(calendars, state.made_at)?;
        let is_set_back = state.cursor > now.plus(CLOCK_SLACK);
        let cursor = if is_set_back { now } else { state.cursor };
        let quiet = |next: Next| Decision {
            fires: Vec::new(),
            missed: Count::default(),
            overlapping: Count::default(),
            cursor,
            is_set_back,
            next,
        };
        let counted_from = match self.timing.is_counted_from_the_end() {
            true if state.runs != Runs::None => return Ok(quiet(Next::AfterRun)),
            // An end that lies ahead was told by a wrong clock.
            true => cursor.max(state.last_end.unwrap_or(cursor).min(now.max(cursor))),
            false => cursor,
        };
        let first = ticks.next(counted_from);
        if first.is_none_or(|tick| tick > now) {
            return Ok(quiet(self.next(first, counted_from)));
        }
        let due = self.due(&ticks, first, now);
        let wanted = self.wanted(&ticks, &due);
        let missed = match due.is_more {
            true => Count::AtLeast(COUNT_MAX),
            false => Count::Exactly(due.ticks.len() - wanted.len()),
        };
        let (fires, overlapping) = self.order(wanted, state.runs);
        let next = match self.timing.is_counted_from_the_end() {
            true if !fires.is_empty() => Next::AfterRun,
            _ => self.next(ticks.next(due.last), due.last),
        };
        Ok(Decision { fires, missed, overlapping, cursor: due.last, is_set_back, next })
    }

    /// The ticks from the first to now. An interval that is counted from the end of a run has one at most.
    fn due(&self, ticks: &Ticks<'_>, first: Option<Timestamp>, now: Timestamp) -> Due {
        let following = |tick: &Timestamp| if self.timing.is_counted_from_the_end() { None } else { ticks.next(*tick) };
        let all = std::iter::successors(first, following).take_while(|tick| *tick <= now);
        let mut found: Vec<_> = all.take(DUE_MAX + 1).collect();
        let is_more = found.len() > DUE_MAX;
        let known = found.last().copied().unwrap_or(now);
        let last = if is_more { ticks.last(known, now).unwrap_or(known) } else { known };
        found.truncate(DUE_MAX);
        Due { ticks: found, last, is_more, is_on_time: now.since(last) <= ON_TIME }
    }

    /// The ticks that get a job if no run is in their way, the earliest first.
    fn wanted(&self, ticks: &Ticks<'_>, due: &Due) -> Vec<Timestamp> {
        let most = match self.missed {
            Missed::Skip if !due.is_on_time => 0,
            Missed::Skip | Missed::Coalesce => 1,
            // The one that is on time was not missed, and comes on top.
            Missed::CatchUp { max } => max.clamp(1, Missed::CATCH_UP_MAX) as usize + usize::from(due.is_on_time),
        };
        if !due.is_more {
            return due.ticks.iter().skip(due.ticks.len().saturating_sub(most)).copied().collect();
        }
        let from = due.ticks.last().copied().unwrap_or(due.last);
        let before = |tick: &Timestamp| ticks.last(from, tick.minus(Duration::from_micros(1)));
        let mut wanted: Vec<_> = std::iter::successors(Some(due.last), before).take(most).collect();
        wanted.reverse();
        wanted
    }

    /// What each job waits for. What was missed runs one after the other, unless runs may overlap.
    fn order(&self, wanted: Vec<Timestamp>, runs: Runs) -> (Vec<Fire>, Count) {
        let fire = |tick: Timestamp, order: FireOrder| {
            let run_at = tick.plus(jitter::delay(&self.name, tick, self.jitter));
            Fire { tick, run_at, order }
        };
        let in_turn = |(place, tick): (usize, &Timestamp)| {
            fire(*tick, if place == 0 { FireOrder::Free } else { FireOrder::AfterPrevious })
        };
        let all = wanted.len();
        let fires: Vec<_> = match (self.overlap, runs) {
            (Overlap::Allow, _) => wanted.iter().map(|tick| fire(*tick, FireOrder::Free)).collect(),
            (Overlap::Skip | Overlap::QueueOne, Runs::None) => wanted.iter().enumerate().map(in_turn).collect(),
            (Overlap::QueueOne, Runs::UnderWay) => {
                wanted.last().map(|tick| fire(*tick, FireOrder::AfterRuns)).into_iter().collect()
            }
            (Overlap::Skip, Runs::UnderWay | Runs::UnderWayAndWaiting)
            | (Overlap::QueueOne, Runs::UnderWayAndWaiting) => Vec::new(),
        };
        let overlapping = Count::Exactly(all - fires.len());
        (fires, overlapping)
    }

    /// When to decide again, if this is the first tick after `after`.
    fn next(&self, tick: Option<Timestamp>, after: Timestamp) -> Next {
        match (tick, &self.timing.when) {
            (Some(tick), _) => Next::At(tick),
            (None, When::At(at)) if *at <= after => Next::Never(NeverReason::Once),
            (None, _) if self.timing.ends_at.is_some() => Next::Never(NeverReason::Ended),
            (None, _) => Next::Never(NeverReason::NoTick),
        }
    }
}

/// The ticks between the cursor and now.
struct Due {
    /// All of them, or the first [`DUE_MAX`].
    ticks: Vec<Timestamp>,
    last: Timestamp,
    /// Whether there are more than those.
    is_more: bool,
    is_on_time: bool,
}
