//! Turns what other daemons change into wake-ups.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::warn;
use windlass_store::{ChangeSource, Changes};

use crate::clock;
use crate::wake::Wake;

/// After how long a silence the feed is made anew: a connection that a firewall forgot is silent for ever.
const LONGEST_SILENCE: Duration = Duration::from_secs(300);

/// The longest wait after an error. Meanwhile the loops look by themselves.
const MAX_BACKOFF: Duration = Duration::from_secs(10);

/// Turns what other daemons change into wake-ups.
pub(crate) struct Listener {
    pub(crate) source: Arc<dyn ChangeSource>,
    pub(crate) wake: Wake,
}

impl Listener {
    /// Runs until the last job is over: it may still be cancelled elsewhere.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut feed = self.source.changes();
        let mut failures = 0_u32;
        loop {
            let heard = tokio::select! {
                () = stop.cancelled() => return,
                heard = tokio::time::timeout(LONGEST_SILENCE, feed.next()) => heard,
            };
            match heard {
                Ok(Ok(changes)) => {
                    failures = 0;
                    self.pass_on(changes);
                }
                Ok(Err(fault)) => {
                    failures += 1;
                    let pause = Duration::from_millis(100).saturating_mul(1 << failures.min(7)).min(MAX_BACKOFF);
                    let pause = clock::spread_out(pause);
                    warn!(
                        error = &fault as &dyn std::error::Error,
                        "Cannot hear what other daemons do, trying again in {pause:?} and looking now and then till then: {fault}"
                    );
                    tokio::select! {
                        () = stop.cancelled() => return,
                        () = tokio::time::sleep(pause) => (),
                    }
                }
                Err(_) => feed = self.source.changes(),
            }
        }
    }

    fn pass_on(&self, changes: Changes) {
        if changes.available {
            self.wake.dispatcher();
        }
        if changes.scheduled {
            self.wake.promoter();
        }
        if changes.tasks {
            self.wake.shelver();
        }
        if changes.cancels {
            self.wake.heartbeat();
        }
    }
}
