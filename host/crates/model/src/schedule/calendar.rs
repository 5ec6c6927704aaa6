//! Dates on which a schedule does not fire.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::CalendarName;

/// Dates on which nothing fires, each written as `2026-12-25`, as `12-25` for every year, or as `2026-12-24/2027-01-06` from the
/// first to the last.
///
/// As JSON a list of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExcludedDates {
    entries: BTreeSet<Excluded>,
    /// The single dates and the ranges, in order and joined where they touch.
    ranges: Vec<(Date, Date)>,
}

/// The calendars that schedules may name.
pub type Calendars = BTreeMap<CalendarName, ExcludedDates>;

/// One date, or several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Excluded {
    Yearly { month: i8, day: i8 },
    Range { first: Date, last: Date },
}

/// What is wrong with dates to exclude.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExcludedDatesError {
    /// A text that is no date.
    #[error("`{0}` is not a date: write 2026-12-25, 12-25 for every year, or 2026-12-24/2027-01-06 for a range")]
    Date(String),
    /// A range that ends before it begins.
    #[error("`{0}` ends before it begins")]
    Backwards(String),
    /// Too many.
    #[error("there are {found} entries; at most {max} are kept: join dates to ranges, or use several calendars")]
    Count {
        /// How many there are.
        found: usize,
        /// How many there may be.
        max: usize,
    },
}

impl ExcludedDates {
    /// How many entries there may be: the holidays of a country for a lifetime.
    pub const MAX: usize = 1_000;

    /// Reads the entries.
    pub fn parse<T: AsRef<str>>(raw: &[T]) -> Result<Self, ExcludedDatesError> {
        if raw.len() > Self::MAX {
            return Err(ExcludedDatesError::Count { found: raw.len(), max: Self::MAX });
        }
        let entries: BTreeSet<Excluded> = raw.iter().map(|entry| entry.as_ref().parse()).collect::<Result<_, _>>()?;
        let mut ranges: Vec<(Date, Date)> = Vec::new();
        // In order of their first dates, since that is how a set of them is sorted.
        for (first, last) in entries.iter().filter_map(|entry| entry.range()) {
            match ranges.last_mut() {
                Some((_, end)) if end.tomorrow().is_ok_and(|after| first <= after) => *end = last.max(*end),
                _ => ranges.push((first, last)),
            }
        }
        Ok(Self { entries, ranges })
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many entries there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    fn contains(&self, date: Date) -> bool {
        let place = self.ranges.partition_point(|(first, _)| *first <= date);
        let in_range =
            place.checked_sub(1).and_then(|place| self.ranges.get(place)).is_some_and(|(_, last)| date <= *last);
        in_range || self.entries.contains(&Excluded::Yearly { month: date.month(), day: date.day() })
    }
}

impl Excluded {
    const fn range(&self) -> Option<(Date, Date)> {
        match self {
            Self::Range { first, last } => Some((*first, *last)),
            Self::Yearly { .. } => None,
        }
    }
}

impl FromStr for Excluded {
    type Err = ExcludedDatesError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        let wrong = || ExcludedDatesError::Date(raw.to_owned());
        let date = |text: &str| text.parse::<Date>().ok().filter(|_| text.len() == 10).ok_or_else(wrong);
        if let Some((first, last)) = raw.split_once('/') {
            let (first, last) = (date(first)?, date(last)?);
            return if first <= last {
                Ok(Self::Range { first, last })
            } else {
                Err(ExcludedDatesError::Backwards(raw.to_owned()))
            };
        }
        if raw.len() == 5 {
            // A leap year, so that 02-29 may be named.
            let date = date(&format!("2000-{raw}"))?;
            return Ok(Self::Yearly { month: date.month(), day: date.day() });
        }
        date(raw).map(|date| Self::Range { first: date, last: date })
    }
}

impl fmt::Display for Excluded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yearly { month, day } => write!(f, "{month:02}-{day:02}"),
            Self::Range { first, last } if first == last => write!(f, "{first}"),
            Self::Range { first, last } => write!(f, "{first}/{last}"),
        }
    }
}

impl Serialize for ExcludedDates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.entries.iter().map(ToString::to_string))
    }
}

impl<'de> Deserialize<'de> for ExcludedDates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&Vec::<String>::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// All the dates on which one schedule does not fire: its own and those of its calendars.
#[derive(Clone, Debug)]
pub(super) struct ClosedDates<'a>(Vec<&'a ExcludedDates>);

impl<'a> ClosedDates<'a> {
    pub(super) const fn none() -> Self {
        Self(Vec::new())
    }

    pub(super) fn of(lists: impl Iterator<Item = &'a ExcludedDates>) -> Self {
        Self(lists.filter(|list| !list.is_empty()).collect())
    }

    pub(super) fn contains(&self, date: Date) -> bool {
        self.0.iter().any(|list| list.contains(date))
    }

    /// The first date after this one on which it may fire, if there is one before `until`.
    pub(super) fn next_open(&self, date: Date, until: Date) -> Option<Date> {
        let mut date = date.tomorrow().ok()?;
        while self.contains(date) {
            if date >= until {
                return None;
            }
            date = date.tomorrow().ok()?;
        }
        Some(date)
    }
}
