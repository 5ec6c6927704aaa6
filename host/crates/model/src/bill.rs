//! What an attempt used.

use serde::{Deserialize, Serialize};

/// What one attempt used, however it ended.
///
/// It is kept as JSON. A field that an older version did not write counts as zero, and one that this version does not know
/// is ignored, so that daemons of two versions can read each other's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bill {
    /// Microseconds to make the instance.
    pub instantiate_us: u64,
    /// Microseconds of a processor that the guest and the host's functions on its thread took. Not what waiting took, and
    /// not what the host's other threads did for it.
    pub cpu_us: u64,
    /// The most that its memories and tables held at once, in bytes.
    pub peak_memory_bytes: u64,
    /// Bytes that it read from files.
    pub read_bytes: u64,
    /// Bytes that it wrote to files.
    pub written_bytes: u64,
    /// HTTP requests that it sent.
    pub http_requests: u64,
    /// Lines that it printed, with those that were not kept.
    pub log_lines: u64,
    /// Calls that it made to the host.
    pub host_calls: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_of_another_version_can_be_read() {
        let bill: Bill = serde_json::from_str(r#"{"cpu_us": 5, "of_tomorrow": 1}"#).unwrap();
        assert_eq!(bill, Bill { cpu_us: 5, ..Bill::default() });
    }
}
