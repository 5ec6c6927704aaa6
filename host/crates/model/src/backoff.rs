//! How long a job waits before it runs again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How long a job waits between attempts.
///
/// As JSON `{"base_ms": 2000, "max_ms": 3600000}` or `{"delays_ms": [1000, 5000, 60000]}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub enum Backoff {
    /// The delay doubles from attempt to attempt, from `base` up to `max`, and is spread so that jobs which failed together do
    /// not come back together.
    Exponential {
        /// The first delay.
        base: Duration,
        /// The longest.
        max: Duration,
    },
    /// These delays one after the other, exactly; the last one again and again.
    Delays(Vec<Duration>),
}

/// What is wrong with a backoff.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackoffError {
    /// The bounds of the doubling make no sense.
    #[error(
        "base_ms is {base_ms} and max_ms is {max_ms}: it takes 1 <= base_ms <= max_ms <= {} (a week)",
        Backoff::LONGEST_MS
    )]
    Bounds {
        /// The first delay.
        base_ms: u64,
        /// The longest.
        max_ms: u64,
    },
    /// No delays, or too many.
    #[error("delays_ms has {found} delays: it takes 1 to {}", Backoff::MOST_DELAYS)]
    Count {
        /// How many there are.
        found: usize,
    },
    /// A delay is too long.
    #[error("delays_ms has a delay of {delay_ms}: none may be longer than {} (a week)", Backoff::LONGEST_MS)]
    Delay {
        /// The delay.
        delay_ms: u64,
    },
    /// Both forms, or neither.
    #[error("write either base_ms, with max_ms if you like, or delays_ms")]
    Form,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delays_ms: Option<Vec<u64>>,
}

impl TryFrom<Unchecked> for Backoff {
    type Error = BackoffError;

    fn try_from(raw: Unchecked) -> Result<Self, BackoffError> {
        match raw {
            Unchecked { base_ms: Some(base), max_ms, delays_ms: None } => {
                let max = max_ms.unwrap_or(Self::DEFAULT_MAX_MS.max(base));
                Self::exponential(Duration::from_millis(base), Duration::from_millis(max))
            }
            Unchecked { base_ms: None, max_ms: None, delays_ms: Some(delays) } => {
                Self::delays(delays.into_iter().map(Duration::from_millis).collect())
            }
            _ => Err(BackoffError::Form),
        }
    }
}

impl From<Backoff> for Unchecked {
    fn from(backoff: Backoff) -> Self {
        match backoff {
            Backoff::Exponential { base, max } => {
                Self { base_ms: Some(millis(base)), max_ms: Some(millis(max)), delays_ms: None }
            }
            Backoff::Delays(delays) => {
                Self { base_ms: None, max_ms: None, delays_ms: Some(delays.into_iter().map(millis).collect()) }
            }
        }
    }
}

impl Default for Backoff {
    /// From two seconds to an hour. With the default of 5 attempts a job gives up after half a minute of waiting in all.
    fn default() -> Self {
        Self::Exponential { base: Duration::from_secs(2), max: Duration::from_millis(Self::DEFAULT_MAX_MS) }
    }
}

impl Backoff {
    const LONGEST_MS: u64 = 7 * 24 * 3_600_000;
    const DEFAULT_MAX_MS: u64 = 3_600_000;
    const MOST_DELAYS: usize = 100;

    /// A delay that starts at `base` and never exceeds `max`.
    pub fn exponential(base: Duration, max: Duration) -> Result<Self, BackoffError> {
        let (base_ms, max_ms) = (millis(base), millis(max));
        if base_ms == 0 || max_ms < base_ms || max_ms > Self::LONGEST_MS {
            return Err(BackoffError::Bounds { base_ms, max_ms });
        }
        Ok(Self::Exponential { base, max })
    }

    /// A fixed list of delays, 1 to 100 of them, each at most a week.
    pub fn delays(delays: Vec<Duration>) -> Result<Self, BackoffError> {
        if delays.is_empty() || delays.len() > Self::MOST_DELAYS {
            return Err(BackoffError::Count { found: delays.len() });
        }
        match delays.iter().map(|delay| millis(*delay)).find(|delay| *delay > Self::LONGEST_MS) {
            Some(delay_ms) => Err(BackoffError::Delay { delay_ms }),
            None => Ok(Self::Delays(delays)),
        }
    }

    /// The wait after failed attempt number `attempt` (from 1). Of a delay that doubles, `spread` (0 to 1, drawn at random by
    /// the caller) takes away up to a quarter.
    #[must_use]
    pub fn delay(&self, attempt: u32, spread: f64) -> Duration {
        let before = attempt.saturating_sub(1);
        match self {
            Self::Exponential { base, max } => {
                let full = base.saturating_mul(1 << before.min(31)).min(*max);
                full.mul_f64(1.0 - 0.25 * spread.clamp(0.0, 1.0))
            }
            Self::Delays(delays) => {
                let place = usize::try_from(before).unwrap_or(usize::MAX).min(delays.len().saturating_sub(1));
                delays.get(place).copied().unwrap_or_default()
            }
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(raw: &str) -> Result<Backoff, String> {
        serde_json::from_str(raw).map_err(|error| error.to_string())
    }

    #[test]
    fn the_delay_doubles_up_to_its_bound() {
        let backoff = Backoff::exponential(Duration::from_secs(2), Duration::from_secs(10)).unwrap();
        let delays: Vec<_> = (1..=5).map(|attempt| backoff.delay(attempt, 0.0).as_secs()).collect();
        assert_eq!(delays, [2, 4, 8, 10, 10]);
        assert_eq!(backoff.delay(u32::MAX, 0.0).as_secs(), 10);
    }

    #[test]
    fn the_spread_takes_away_a_quarter_at_most() {
        let backoff = Backoff::exponential(Duration::from_secs(4), Duration::from_secs(4)).unwrap();
        assert_eq!(backoff.delay(1, 1.0), Duration::from_secs(3));
    }

    #[test]
    fn a_list_of_delays_is_taken_exactly_and_its_last_one_again_and_again() {
        let backoff = parse(r#"{"delays_ms":[10,0,500]}"#).unwrap();
        let delays: Vec<_> = (1..=5).map(|attempt| backoff.delay(attempt, 1.0).as_millis()).collect();
        assert_eq!(delays, [10, 0, 500, 500, 500]);
    }

    #[test]
    fn a_backoff_out_of_bounds_is_refused() {
        for raw in [
            r#"{"base_ms":0}"#,
            r#"{"base_ms":5,"max_ms":4}"#,
            r#"{"base_ms":1,"max_ms":604800001}"#,
            r#"{"delays_ms":[]}"#,
            r#"{"delays_ms":[604800001]}"#,
            r#"{"delays_ms":[1],"base_ms":1}"#,
            r#"{"max_ms":1}"#,
            r#"{}"#,
        ] {
            assert!(parse(raw).is_err(), "{raw}");
        }
        assert_eq!(parse(r#"{"base_ms":50}"#).unwrap().delay(1, 0.0), Duration::from_millis(50));
    }

    #[test]
    fn both_forms_are_written_as_they_are_read() {
        for raw in [r#"{"base_ms":5,"max_ms":70}"#, r#"{"delays_ms":[1,2,3]}"#] {
            assert_eq!(serde_json::to_string(&parse(raw).unwrap()).unwrap(), raw);
        }
    }
}
