//! How late after its tick a job starts, so that what many schedules name at the same time does not start at the same time.

use std::time::Duration;

use crate::{ScheduleName, Timestamp};

/// From nothing to `most`, in milliseconds, the same on every host and in every version: the name and the tick decide alone.
pub(super) fn delay(schedule: &ScheduleName, tick: Timestamp, most: Duration) -> Duration {
    let choices = u128::from(most.as_millis() as u64) + 1;
    let drawn = spread(schedule.as_str().as_bytes(), tick.as_micros());
    // The upper half of a product is as even as the draw, without the bias of a remainder.
    Duration::from_millis(((u128::from(drawn) * choices) >> 64) as u64)
}

/// FNV-1a over the bytes, then the finalizer of SplitMix64, since FNV alone hardly changes its upper bits for neighbouring ticks.
fn spread(name: &[u8], tick: i64) -> u64 {
    let bytes = name.iter().copied().chain([0]).chain(tick.to_le_bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(name: &str, count: i64, most_ms: u64) -> Vec<u64> {
        let name = ScheduleName::parse(name).unwrap();
        let tick = |n: i64| Timestamp::from_micros(1_795_000_000_000_000 + n * 60_000_000);
        (0..count).map(|n| delay(&name, tick(n), Duration::from_millis(most_ms)).as_millis() as u64).collect()
    }

    #[test]
    fn the_delay_stays_within_its_bound_and_uses_all_of_it() {
        let delays = drawn("nightly", 4_000, 9);
        let counts = (0..=9).map(|value| delays.iter().filter(|delay| **delay == value).count());
        // 400 each on average, with a deviation of 19.
        assert!(counts.into_iter().all(|count| (300..=500).contains(&count)), "{delays:?}");
        assert_eq!(drawn("nightly", 3, 0), [0, 0, 0]);
        assert!(drawn("nightly", 100, 86_400_000).iter().all(|delay| *delay <= 86_400_000));
    }

    #[test]
    fn every_host_and_every_version_draws_the_same() {
        assert_eq!(drawn("nightly", 4, 60_000), drawn("nightly", 4, 60_000));
        assert_ne!(drawn("nightly", 4, 60_000), drawn("weekly", 4, 60_000));
        assert_eq!(
            drawn("nightly", 4, 60_000),
            [6_094, 19_778, 22_011, 35_684],
            "a change moves what other hosts have planned"
        );
    }
}
