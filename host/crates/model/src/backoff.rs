//! How long a job waits before it runs again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The delay doubles from attempt to attempt, up to a bound, and is spread so that jobs which failed together do not come
/// back together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "Unchecked")]
pub struct Backoff {
    base_ms: u64,
    max_ms: u64,
}

/// What is wrong with a backoff.
#[derive(Debug, thiserror::Error)]
#[error(
    "base_ms is {base_ms} and max_ms is {max_ms}: it takes 1 <= base_ms <= max_ms <= {} (a week)",
    Backoff::LONGEST_MS
)]
pub struct BackoffError {
    base_ms: u64,
    max_ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    base_ms: u64,
    #[serde(default)]
    max_ms: Option<u64>,
}

impl TryFrom<Unchecked> for Backoff {
    type Error = BackoffError;

    fn try_from(raw: Unchecked) -> Result<Self, BackoffError> {
        let max_ms = raw.max_ms.unwrap_or(Self::default().max_ms.max(raw.base_ms));
        Self::new(Duration::from_millis(raw.base_ms), Duration::from_millis(max_ms))
    }
}

impl Default for Backoff {
    /// From two seconds to an hour. With the default of 5 attempts a job gives up after half a minute of waiting in all.
    fn default() -> Self {
        Self { base_ms: 2_000, max_ms: 3_600_000 }
    }
}

impl Backoff {
    const LONGEST_MS: u64 = 7 * 24 * 3_600_000;

    /// A delay that starts at `base` and never exceeds `max`.
    pub fn new(base: Duration, max: Duration) -> Result<Self, BackoffError> {
        let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
        let (base_ms, max_ms) = (millis(base), millis(max));
        if base_ms == 0 || max_ms < base_ms || max_ms > Self::LONGEST_MS {
            return Err(BackoffError { base_ms, max_ms });
        }
        Ok(Self { base_ms, max_ms })
    }

    /// The wait after failed attempt number `attempt` (from 1): `base * 2^(attempt - 1)`, at most `max`, of which
    /// `spread` (0 to 1, drawn at random by the caller) takes away up to a quarter.
    #[must_use]
    pub fn delay(&self, attempt: u32, spread: f64) -> Duration {
        let doublings = attempt.saturating_sub(1).min(63);
        let full = self.base_ms.saturating_mul(1 << doublings).min(self.max_ms);
        Duration::from_millis(full).mul_f64(1.0 - 0.25 * spread.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_up_to_its_bound() {
        let backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(10)).unwrap();
        let delays: Vec<_> = (1..=5).map(|attempt| backoff.delay(attempt, 0.0).as_secs()).collect();
        assert_eq!(delays, [2, 4, 8, 10, 10]);
        assert_eq!(backoff.delay(u32::MAX, 0.0).as_secs(), 10);
    }

    #[test]
    fn the_spread_takes_away_a_quarter_at_most() {
        let backoff = Backoff::new(Duration::from_secs(4), Duration::from_secs(4)).unwrap();
        assert_eq!(backoff.delay(1, 1.0), Duration::from_secs(3));
    }

    #[test]
    fn a_backoff_out_of_bounds_is_refused() {
        for raw in [r#"{"base_ms":0}"#, r#"{"base_ms":5,"max_ms":4}"#, r#"{"base_ms":1,"max_ms":604800001}"#] {
            assert!(serde_json::from_str::<Backoff>(raw).is_err(), "{raw}");
        }
        let given: Backoff = serde_json::from_str(r#"{"base_ms":50}"#).unwrap();
        assert_eq!(given.delay(1, 0.0), Duration::from_millis(50));
    }
}
