//! A point in time with the precision that both databases keep.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Whole microseconds since the Unix epoch, in UTC: what PostgreSQL keeps, so that a value compares equal after a round
/// trip through either database.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// What is wrong with a text that should be a time.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a time: write it as 2026-11-20T14:30:00Z")]
pub struct TimestampError(String);

impl Timestamp {
    /// The largest point in time that is kept: 9999-12-30T00:00:00Z, so that every time zone can still write it.
    pub const MAX: Self = Self(253_402_128_000_000_000);

    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// From microseconds since the Unix epoch. What lies beyond [`Timestamp::MAX`] becomes it.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.min(Self::MAX.0))
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Milliseconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// The point so much later, or [`Timestamp::MAX`].
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self::from_micros(self.0.saturating_add(micros))
    }

    /// The point so much earlier.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(micros))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::from_microsecond(self.0).map_err(|_| fmt::Error)?;
        write!(f, "{time:.6}")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        let time: jiff::Timestamp = raw.parse().map_err(|_| TimestampError(raw.to_owned()))?;
        Ok(Self(time.as_microsecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_the_way_to_text_and_back() {
        let time = Timestamp::from_micros(1_795_000_000_123_456);
        assert_eq!(time.to_string(), "2026-11-18T11:06:40.123456Z");
        assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
    }

    #[test]
    fn a_time_with_an_offset_is_turned_into_utc() {
        let time: Timestamp = "2026-11-20T14:30:00+02:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-20T12:30:00.000000Z");
    }

    #[test]
    fn a_sum_that_is_too_large_stops_at_the_last_time_that_can_be_written() {
        let last = Timestamp::from_micros(0).plus(Duration::MAX);
        assert_eq!(last, Timestamp::MAX);
        assert_eq!(last.to_string().parse::<Timestamp>().unwrap(), last);
    }

    #[test]
    fn a_text_that_is_no_time_is_refused_with_the_form_that_is() {
        let error = "tomorrow".parse::<Timestamp>().unwrap_err().to_string();
        assert_eq!(error, "`tomorrow` is not a time: write it as 2026-11-20T14:30:00Z");
    }
}
