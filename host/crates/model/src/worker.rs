//! A daemon that claims jobs.

use crate::{Timestamp, WorkerId};

/// One run of a daemon.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// Fresh at every start.
    pub id: WorkerId,
    /// The host's name.
    pub host: String,
    /// Its process id there.
    pub pid: u32,
    /// The version of the daemon.
    pub version: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it was last heard of.
    pub heartbeat_at: Timestamp,
    /// When the others may take its jobs, unless it is heard of before.
    pub lease_until: Timestamp,
}
