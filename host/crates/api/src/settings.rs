//! What can be set about the API.

use std::time::Duration;

/// What can be set about the API. The defaults are right for production; tests take shorter times.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// How long `GET /jobs/{id}?wait=` may wait at most. 5 minutes by default: proxies rarely let a request live longer.
    pub longest_wait: Duration,
    /// How long a long poll or an event stream waits before it looks again without having been told. 1 second by default:
    /// a change on another host is only seen this way.
    pub poll_every: Duration,
    /// How much time lies between two looks of an event stream at least. 50 milliseconds by default: a person sees no
    /// difference, and a handler that reports a thousand times a second costs twenty reads.
    pub stream_pace: Duration,
    /// After how long without an event a stream sends a comment, so that no proxy takes it for dead. 15 seconds by default.
    pub keep_alive: Duration,
}

impl Default for ApiSettings {
    fn default() -> Self {
        Self {
            longest_wait: Duration::from_secs(300),
            poll_every: Duration::from_secs(1),
            stream_pace: Duration::from_millis(50),
            keep_alive: Duration::from_secs(15),
        }
    }
}
