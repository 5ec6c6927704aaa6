//! From the times that a cron line names to moments, over all the times that a zone's clock was put forward or back.
//!
//! A line that names times of the day fires once for each of them: a time that the clock jumps over fires at the moment of the jump,
//! and one that comes twice fires the first time. A line that follows the clock fires whenever the clock shows what it names: not at
//! what is jumped over, and twice at what comes twice.

use jiff::civil::DateTime;

use super::calendar::ClosedDates;
use super::cron::CronLine;
use super::zone::{Zone, seconds};
use crate::Timestamp;

/// The first moment after `after` and before `until`.
pub(super) fn next(
    line: &CronLine,
    zone: &Zone,
    closed: &ClosedDates<'_>,
    after: Timestamp,
    until: Timestamp,
) -> Option<Timestamp> {
    let mut from = seconds(after) + 1;
    let until = seconds(until.max(Timestamp::EPOCH)) + i64::from(until.as_micros() % 1_000_000 != 0);
    // Each turn ends where the clock is put: at most a few times a year.
    while from < until {
        let stretch = zone.stretch(from);
        let end = stretch.end.map_or(until, |end| end.min(until));
        let mut wall = from + stretch.offset;
        if let Some(begin) = stretch.begin.filter(|_| !line.follows_the_clock()) {
            let (shown_before, shown_now) = (begin + stretch.offset_before, begin + stretch.offset);
            let is_jumped_over = from == begin
                && shown_before < shown_now
                && line.next_wall_time(clock(shown_before)?, clock(shown_now)?, closed).is_some();
            if is_jumped_over {
                return moment(begin);
            }
            // What the clock showed before it was put back has had its turn.
            wall = wall.max(shown_before);
        }
        let end_wall = end + stretch.offset;
        if wall < end_wall
            && let Some(found) = line.next_wall_time(clock(wall)?, clock(end_wall)?, closed)
        {
            return moment(shown(found)? - stretch.offset);
        }
        from = end;
    }
    None
}

/// What a clock shows so many seconds after it showed the start of 1970.
fn clock(second: i64) -> Option<DateTime> {
    Some(jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::from_second(second).ok()?))
}

/// The other way round.
fn shown(wall: DateTime) -> Option<i64> {
    jiff::tz::Offset::UTC.to_timestamp(wall).ok().map(jiff::Timestamp::as_second)
}

fn moment(second: i64) -> Option<Timestamp> {
    Some(Timestamp::from_micros(second.checked_mul(1_000_000)?))
}
