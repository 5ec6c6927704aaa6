//! A cron line: which dates and which times of the day it names, without a clock and without a time zone.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use croner::Weekday;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::{Date, DateTime, Time};

use super::calendar::ClosedDates;
use super::field::{Field, FieldKind};

/// A cron line with five fields, or with six, the first of them the second; or one of `@yearly` (`@annually`), `@monthly`,
/// `@weekly`, `@daily` (`@midnight`) and `@hourly`. The dialect is that of crontab(5) with `L`, `W`, `#` and `?` for days.
///
/// It names at least one date: a line that cannot fire in any year is refused.
///
/// Cheap to clone.
#[derive(Clone)]
pub struct CronLine(Arc<Parsed>);

struct Parsed {
    text: String,
    fields: [Field; 6],
    dates: croner::Cron,
    seconds: Vec<i8>,
    minutes: Vec<i8>,
    hours: Vec<i8>,
}

/// What is wrong with a cron line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CronLineError {
    /// It is empty, or much longer than any line needs to be.
    #[error("a cron line has 1 to {max} characters, this one has {found}")]
    Length {
        /// How many characters it has.
        found: usize,
        /// How many it may have.
        max: usize,
    },
    /// There are too few or too many fields.
    #[error(
        "a cron line has five fields (minute, hour, day of the month, month, day of the week), or six with the second first; this one \
         has {found}{}",
        if *found == 7 { ": in place of a year give the schedule a start and an end" } else { "" }
    )]
    Fields {
        /// How many there are.
        found: usize,
    },
    /// A word with `@` that is not known.
    #[error(
        "`{0}` is not known: there are @yearly, @monthly, @weekly, @daily and @hourly; for an interval use `every_ms`"
    )]
    Nickname(String),
    /// A field does not follow the grammar.
    #[error("the {field} `{item}` is not understood: {remedy}")]
    Field {
        /// Which field.
        field: &'static str,
        /// What stands there.
        item: String,
        /// What may.
        remedy: String,
    },
    /// No date of any year fits.
    #[error("`{0}` never fires: no year has such a date")]
    NoDate(String),
    /// The parser refuses what our own grammar takes.
    #[error("`{line}` is not understood: {reason}")]
    Parser {
        /// The line.
        line: String,
        /// What the parser says.
        reason: String,
    },
}

impl CronLine {
    /// How many characters a line may have: lists of all minutes and hours still fit.
    pub const MAX: usize = 300;

    /// Reads a line.
    pub fn parse(raw: &str) -> Result<Self, CronLineError> {
        let text = raw.trim();
        let found = text.chars().count();
        if found == 0 || found > Self::MAX {
            return Err(CronLineError::Length { found, max: Self::MAX });
        }
        let words: Vec<&str> = match text.strip_prefix('@') {
            Some(name) => nickname(name)
                .ok_or_else(|| CronLineError::Nickname(text.to_owned()))?
                .split_ascii_whitespace()
                .collect(),
            None => text.split_ascii_whitespace().collect(),
        };
        let [second, minute, hour, day, month, weekday] = match *words.as_slice() {
            [minute, hour, day, month, weekday] => ["0", minute, hour, day, month, weekday],
            [second, minute, hour, day, month, weekday] => [second, minute, hour, day, month, weekday],
            _ => return Err(CronLineError::Fields { found: words.len() }),
        };
        let fields = [
            Field::parse(FieldKind::Second, second)?,
            Field::parse(FieldKind::Minute, minute)?,
            Field::parse(FieldKind::Hour, hour)?,
            Field::parse(FieldKind::DayOfMonth, day)?,
            Field::parse(FieldKind::Month, month)?,
            Field::parse(FieldKind::DayOfWeek, weekday)?,
        ];
        let [seconds, minutes, hours] = [&fields[0], &fields[1], &fields[2]].map(times);
        let dates = parse_dates(text, &fields)?;
        let line = Self(Arc::new(Parsed { text: text.to_owned(), fields, dates, seconds, minutes, hours }));
        if line.has_date() { Ok(line) } else { Err(CronLineError::NoDate(text.to_owned())) }
    }

    /// The line as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// Whether it follows the clock as it runs: its minute or its hour starts with `*`, so that it means "every so often". Else it
    /// names times of the day, each of which comes once a day. The two differ only where a clock is put forward or back.
    #[must_use]
    pub fn follows_the_clock(&self) -> bool {
        self.0.fields[1].starts_with_star() || self.0.fields[2].starts_with_star()
    }

    /// The first time on the clock from `from` on and before `until` that it names, on a date that is not closed.
    pub(super) fn next_wall_time(&self, from: DateTime, until: DateTime, closed: &ClosedDates<'_>) -> Option<DateTime> {
        let (mut date, mut time) = (from.date(), from.time());
        while date <= until.date() {
            if !self.names_month(date) {
                date = date.last_of_month().tomorrow().ok()?;
                time = Time::midnight();
                continue;
            }
            if self.names_day(date)
                && !closed.contains(date)
                && let Some(time) = self.next_time(time)
            {
                let found = date.to_datetime(time);
                return (found < until).then_some(found);
            }
            date = date.tomorrow().ok()?;
            time = Time::midnight();
        }
        None
    }

    /// Its fields: second, minute, hour, day of the month, month, day of the week.
    pub(super) fn fields(&self) -> &[Field; 6] {
        &self.0.fields
    }

    /// Whether a day must fit both of its fields, and not just one of them.
    pub(super) fn joins_days(&self) -> bool {
        joins_days(&self.0.fields)
    }

    fn names_month(&self, date: Date) -> bool {
        self.0.dates.pattern.month_match(u32::from(date.month().unsigned_abs())).unwrap_or(false)
    }

    fn names_day(&self, date: Date) -> bool {
        let [month, day, weekday] = [date.month(), date.day(), date.weekday().to_sunday_zero_offset()];
        let [month, day, weekday] = [month, day, weekday].map(|part| u32::from(part.unsigned_abs()));
        let weekday = Weekday::from_days_from_sunday(weekday);
        self.0.dates.pattern.day_match(i32::from(date.year()), month, day, weekday).unwrap_or(false)
    }

    /// The first time of the day from `from` on.
    fn next_time(&self, from: Time) -> Option<Time> {
        let (&first_minute, &first_second) = (self.0.minutes.first()?, self.0.seconds.first()?);
        let (hour, minute, second) = (from.hour(), from.minute(), from.second());
        let at = |hour: i8, minute: i8, second: i8| Time::new(hour, minute, second, 0).ok();
        if self.0.hours.contains(&hour) {
            if self.0.minutes.contains(&minute)
                && let Some(second) = self.0.seconds.iter().find(|found| **found >= second)
            {
                return at(hour, minute, *second);
            }
            if let Some(minute) = self.0.minutes.iter().find(|found| **found > minute) {
                return at(hour, *minute, first_second);
            }
        }
        let hour = self.0.hours.iter().find(|found| **found > hour)?;
        at(*hour, first_minute, first_second)
    }

    /// Whether any year has a date for it. A year is told apart by its first day of the week and its leap day alone, and 28 years
    /// have all the 14 kinds.
    fn has_date(&self) -> bool {
        let from = jiff::civil::date(2000, 1, 1).to_datetime(Time::midnight());
        let until = jiff::civil::date(2028, 1, 1).to_datetime(Time::midnight());
        self.next_wall_time(from, until, &ClosedDates::none()).is_some()
    }
}

fn times(field: &Field) -> Vec<i8> {
    field.values().into_iter().filter_map(|value| i8::try_from(value).ok()).collect()
}

fn nickname(name: &str) -> Option<&'static str> {
    Some(match name.to_ascii_lowercase().as_str() {
        "yearly" | "annually" => "0 0 1 1 *",
        "monthly" => "0 0 1 * *",
        "weekly" => "0 0 * * 0",
        "daily" | "midnight" => "0 0 * * *",
        "hourly" => "0 * * * *",
        _ => return None,
    })
}

/// As in crontab(5): if one of the two fields starts with `*` a day must fit both, else it must fit one of them.
fn joins_days(fields: &[Field; 6]) -> bool {
    fields[3].starts_with_star() || fields[5].starts_with_star()
}

fn parse_dates(line: &str, fields: &[Field; 6]) -> Result<croner::Cron, CronLineError> {
    let mut words: Vec<String> = fields.iter().map(Field::text).collect();
    // The parser joins the fields of days only where one is `*` alone; its `+` says that they are joined.
    if joins_days(fields) && !fields[3].is_every() && !fields[5].is_every() {
        words[5].insert(0, '+');
    }
    let parser = CronParser::builder().seconds(Seconds::Required).year(Year::Disallowed).build();
    let text = words.join(" ");
    parser.parse(&text).map_err(|error| CronLineError::Parser { line: line.to_owned(), reason: error.to_string() })
}

impl PartialEq for CronLine {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for CronLine {}

impl fmt::Debug for CronLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0.text, f)
    }
}

impl fmt::Display for CronLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}

impl FromStr for CronLine {
    type Err = CronLineError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        Self::parse(raw)
    }
}
