//! Work that starts by itself: when a schedule fires, and what becomes of ticks that are missed or overlap.
//!
//! Nothing here knows what time it is. The rules are told to people in `host/docs/schedules.md`.

mod calendar;
mod cron;
mod decision;
mod definition;
mod fault;
mod field;
mod jitter;
mod json;
mod options;
mod policy;
mod sentence;
mod timing;
mod wall;
mod zone;

pub use self::calendar::{Calendars, ExcludedDates, ExcludedDatesError};
pub use self::cron::{CronLine, CronLineError};
pub use self::decision::{
    CLOCK_SLACK, Count, Decision, Fire, FireOrder, NeverReason, Next, ON_TIME, Runs, ScheduleState,
};
pub use self::definition::Schedule;
pub use self::fault::{ScheduleFault, ScheduleFaults};
pub use self::options::JobOptions;
pub use self::policy::{Missed, Overlap};
pub use self::timing::{IntervalFrom, NoCalendar, Timing, When};
pub use self::zone::{Zone, ZoneError, ZoneTimeError};
