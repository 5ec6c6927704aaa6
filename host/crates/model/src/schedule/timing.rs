//! When a schedule fires: each of its times is a tick.

use std::time::Duration;

use super::calendar::{Calendars, ClosedDates, ExcludedDates};
use super::cron::CronLine;
use super::wall;
use super::zone::Zone;
use crate::{CalendarName, Timestamp};

/// When a schedule fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// What makes its ticks.
    pub when: When,
    /// Where its clock and its calendar hang; UTC if nothing is said.
    pub zone: Zone,
    /// It does not fire before. It starts when it is made if absent.
    pub starts_at: Option<Timestamp>,
    /// It does not fire then or later. It goes on for ever if absent.
    pub ends_at: Option<Timestamp>,
    /// Dates on which it does not fire.
    pub except: ExcludedDates,
    /// Lists of dates that many schedules share.
    pub calendars: Vec<CalendarName>,
}

/// What makes the ticks of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// The times on the clock that a cron line names.
    Cron(CronLine),
    /// Again and again after so much time, from 1 second to 10 years. Putting clocks forward or back changes nothing about it.
    Every {
        /// How much.
        every: Duration,
        /// Counted from where.
        from: IntervalFrom,
    },
    /// Once.
    At(Timestamp),
}

/// From where an interval is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalFrom {
    /// From the tick before, whenever its run ends: the ticks do not drift.
    #[default]
    Start,
    /// From the end of the run before, so that there is always so much rest between two runs.
    End,
}

/// A calendar that a schedule names and that is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no calendar `{0}`: make it, or take its name out of the schedule's `calendars`")]
pub struct NoCalendar(pub CalendarName);

impl When {
    /// The shortest interval: a cron line can name no less.
    pub const SHORTEST: Duration = Duration::from_secs(1);

    /// The longest interval: ten years, with the leap days.
    pub const LONGEST: Duration = Duration::from_secs(3_653 * 24 * 3_600);
}

impl Timing {
    /// How far ahead a tick is looked for. All that recurs by the calendar comes within 40 years (29 February on one day of the week,
    /// over a year like 2100), so only excluded dates and clocks that are put can keep a schedule silent for so long.
    pub const HORIZON: Duration = Duration::from_secs(36_525 * 24 * 3_600);

    /// What a cron line says in a zone, without end.
    #[must_use]
    pub fn cron(line: CronLine, zone: Zone) -> Self {
        Self {
            when: When::Cron(line),
            zone,
            starts_at: None,
            ends_at: None,
            except: ExcludedDates::default(),
            calendars: vec![],
        }
    }

    /// The first `n` ticks after `after`, of a schedule that was made at `made_at`. There are fewer if it ends, or has none for a
    /// hundred years. Of an interval that is counted from the end of the run only the first is known.
    pub fn next_fires(
        &self,
        calendars: &Calendars,
        made_at: Timestamp,
        after: Timestamp,
        n: usize,
    ) -> Result<Vec<Timestamp>, NoCalendar> {
        let ticks = self.ticks(calendars, made_at)?;
        let first = ticks.next(after);
        let following = |tick: &Timestamp| if self.is_counted_from_the_end() { None } else { ticks.next(*tick) };
        Ok(std::iter::successors(first, following).take(n).collect())
    }

    /// Whether the next tick is only known when the run has ended.
    pub(super) fn is_counted_from_the_end(&self) -> bool {
        matches!(self.when, When::Every { from: IntervalFrom::End, .. })
    }

    pub(super) fn ticks<'a>(&'a self, calendars: &'a Calendars, made_at: Timestamp) -> Result<Ticks<'a>, NoCalendar> {
        let named = self.calendars.iter().map(|name| calendars.get(name).ok_or_else(|| NoCalendar(name.clone())));
        let named: Vec<_> = named.collect::<Result<_, _>>()?;
        let closed = ClosedDates::of(std::iter::once(&self.except).chain(named));
        Ok(Ticks { timing: self, closed, made_at })
    }
}

/// The ticks of one schedule, with its calendars at hand.
pub(super) struct Ticks<'a> {
    timing: &'a Timing,
    closed: ClosedDates<'a>,
    made_at: Timestamp,
}

impl Ticks<'_> {
    /// The first tick after `after`. The end of a run that counts is `after` itself.
    pub(super) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let timing = self.timing;
        let after = after.max(Timestamp::EPOCH);
        // Ticks are whole microseconds, so what lies after the last one before the start lies at the start or later.
        let floor = timing.starts_at.map_or(after, |start| after.max(start.minus(Duration::from_micros(1))));
        let horizon = floor.plus(Timing::HORIZON);
        let until = timing.ends_at.map_or(horizon, |end| end.min(horizon));
        match &timing.when {
            When::Cron(line) => wall::next(line, &timing.zone, &self.closed, floor, until),
            When::Every { every, from: IntervalFrom::Start } => self.next_of_grid(*every, floor, until),
            When::Every { every, from: IntervalFrom::End } => {
                let starts_now = timing.starts_at.is_some_and(|start| after < start);
                let tick = if starts_now { floor.plus(Duration::from_micros(1)) } else { after.plus(*every) };
                self.open(tick, until, |moment| moment)
            }
            When::At(at) => {
                let is_open = *at > floor && *at < timing.ends_at.unwrap_or(Timestamp::MAX);
                (is_open && !self.closed.contains(timing.zone.date(*at))).then_some(*at)
            }
        }
    }

    /// The last tick after `after` and not after `now`.
    pub(super) fn last(&self, after: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let due = |after: Timestamp| self.next(after).filter(|tick| *tick <= now);
        let mut last = due(after)?;
        let mut none_after = now.as_micros();
        // Whether there is a tick between a moment and now is true up to the last tick and then false: a search by halves.
        while let Some(next) = due(last) {
            last = next;
            let middle = last.as_micros() + (none_after - last.as_micros()) / 2;
            match due(Timestamp::from_micros(middle)) {
                Some(tick) => last = tick,
                None => none_after = middle,
            }
        }
        Some(last)
    }

    /// The ticks of an interval stand in a grid: from the start on if the schedule names one, or else around the moment at which it
    /// was made. That moment may lie ahead, if a clock was wrong then; that what lies before it does not fire is for the cursor.
    fn next_of_grid(&self, every: Duration, after: Timestamp, until: Timestamp) -> Option<Timestamp> {
        let every = i64::try_from(every.as_micros()).ok()?.max(1);
        let anchor = self.timing.starts_at.unwrap_or(self.made_at).as_micros();
        let tick = |from: Timestamp| {
            let places =
                (from.as_micros().saturating_sub(anchor).saturating_sub(1)).div_euclid(every).saturating_add(1);
            Timestamp::from_micros(anchor.saturating_add(places.saturating_mul(every)))
        };
        self.open(tick(after.plus(Duration::from_micros(1))), until, tick)
    }

    /// The tick, or the first on a date that is not excluded; `from` gives the first tick at or after a moment.
    fn open(&self, mut tick: Timestamp, until: Timestamp, from: impl Fn(Timestamp) -> Timestamp) -> Option<Timestamp> {
        let zone = &self.timing.zone;
        while tick < until {
            let date = zone.date(tick);
            if !self.closed.contains(date) {
                return Some(tick);
            }
            let open = self.closed.next_open(date, zone.date(until))?;
            // Where a clock is put back over midnight a date begins twice.
            tick = from(zone.start_of(open)?.max(tick.plus(Duration::from_micros(1))));
        }
        None
    }
}
