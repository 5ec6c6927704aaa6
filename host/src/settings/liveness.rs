//! When a daemon that says nothing counts as dead.

use std::ops::RangeInclusive;
use std::time::Duration;

/// Below, saying so would be most of what a daemon does; above, a dead one would hold its jobs for an hour.
const HEARTBEAT_MS: RangeInclusive<u64> = 100..=300_000;

/// A daemon may miss so many heartbeats, less one, before its jobs are taken away: one that is lost or late does not matter.
const BEATS: u64 = 3;

/// How often a daemon says that it is alive, and how long it is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Liveness {
    pub(crate) heartbeat: Duration,
    pub(crate) ttl: Duration,
}

impl Liveness {
    /// Puts what was given over the defaults, 5 and 30 seconds, and names what does not go together.
    pub(crate) fn check(heartbeat_ms: Option<u64>, ttl_ms: Option<u64>, faults: &mut Vec<String>) -> Self {
        let heartbeat = heartbeat_ms.unwrap_or(5_000);
        let ttl = ttl_ms.unwrap_or(heartbeat.saturating_mul(6));
        let (least, most) = (HEARTBEAT_MS.start(), HEARTBEAT_MS.end());
        if !HEARTBEAT_MS.contains(&heartbeat) {
            faults.push(format!("heartbeat_interval_ms: {heartbeat} is not between {least} and {most}"));
        } else if !(heartbeat * BEATS..=most * 12).contains(&ttl) {
            faults.push(format!(
                "worker_ttl_ms: {ttl} is not between {} ({BEATS} heartbeats of {heartbeat}) and {}",
                heartbeat * BEATS,
                most * 12
            ));
        }
        Self { heartbeat: Duration::from_millis(heartbeat), ttl: Duration::from_millis(ttl) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(heartbeat_ms: Option<u64>, ttl_ms: Option<u64>) -> Vec<String> {
        let mut faults = Vec::new();
        Liveness::check(heartbeat_ms, ttl_ms, &mut faults);
        faults
    }

    #[test]
    fn a_daemon_is_believed_for_several_heartbeats() {
        let liveness = Liveness::check(Some(200), None, &mut Vec::new());
        assert_eq!(liveness.ttl, Duration::from_millis(1_200));
        assert_eq!(faults(None, None), [""; 0]);
        assert_eq!(faults(Some(200), Some(600)), [""; 0]);
        assert_eq!(
            faults(Some(200), Some(599)),
            ["worker_ttl_ms: 599 is not between 600 (3 heartbeats of 200) and 3600000"]
        );
        assert_eq!(faults(Some(99), None), ["heartbeat_interval_ms: 99 is not between 100 and 300000"]);
        assert_eq!(faults(None, Some(u64::MAX)).len(), 1);
    }
}
