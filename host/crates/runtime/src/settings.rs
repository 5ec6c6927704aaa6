//! What the sandbox is told when it is made: places, sizes, limits, a clock.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use windlass_model::Timestamp;

use crate::egress::client::EgressSettings;

/// Where the sandbox keeps its things and how large it may grow.
#[derive(Clone, Debug)]
pub struct RuntimeSettings {
    /// The directory that holds `NAME.wasm` and `NAME.toml`.
    pub plugins: PathBuf,
    /// Relative host directories in grants files stand under it.
    pub data_dir: PathBuf,
    /// Scratch of running jobs: `<job-id>/tmp`, and `<job-id>/out/<lease>` while an attempt runs.
    pub work_dir: PathBuf,
    /// Where compiled code is kept between starts. Without it every start compiles everything anew.
    pub cache_dir: Option<PathBuf>,
    /// Where artifacts are published, as `<job-id>/<lease>/<name>`.
    pub artifacts_dir: PathBuf,
    /// How large the compiled code that is kept may grow before what was used longest ago goes.
    pub cache_bytes: u64,
    /// How long a component may take to compile before it is refused. Its thread goes on, so the next try finds the code in the cache.
    pub compile_time: Duration,
    /// How many attempts may run at once. The caller holds this bound; the pool of instances is sized by it.
    pub slots: u32,
    /// How many threads run guests.
    pub guest_threads: usize,
    /// What a plugin and its attempts may use.
    pub limits: Limits,
    /// How plugins reach the network.
    pub egress: EgressSettings,
    /// A variable of the daemon's environment, for secrets that come from there.
    pub variable: fn(&str) -> Option<OsString>,
    /// What time it is.
    pub clock: fn() -> Timestamp,
}

impl RuntimeSettings {
    /// The usual [`RuntimeSettings::cache_bytes`]: 2 GiB, hundreds of versions of the largest plugins.
    pub const CACHE_BYTES: u64 = 2 << 30;
    /// The usual [`RuntimeSettings::compile_time`]: two minutes. A Python component of 35 MiB takes some ten seconds on two processors.
    pub const COMPILE_TIME: Duration = Duration::from_secs(120);
}

/// What a plugin and its attempts may use. The defaults suit a small machine; each has its reason.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Linear memory of one attempt, summed over all memories of its instance. 256 MiB: Python and JavaScript guests
    /// start at 10 to 40 MiB, and 32 of the largest fit into 8 GiB.
    pub memory_bytes: usize,
    /// Table elements of one attempt, summed. 200,000: .NET and JavaScript guests need more than 10,000.
    pub table_elements: usize,
    /// The output that `execute` returns. 1 MiB: it is a row in the database; what is larger is an artifact.
    pub output_bytes: usize,
    /// The log of one attempt, where each line counts 32 bytes more than its text: a row costs more than its text. 1 MiB.
    pub log_bytes: usize,
    /// One line of the log. 8 KiB: what is longer is data, not a line for a person.
    pub log_line_bytes: usize,
    /// A checkpoint. 1 MiB, as the WIT says.
    pub checkpoint_bytes: usize,
    /// The component file. 64 MiB: a Python component has 18 to 35 MiB.
    pub component_bytes: u64,
    /// How long `describe` may take. 10 s: an interpreter may start slowly on a busy machine.
    pub describe_time: Duration,
    /// What `describe` may return. 256 KiB.
    pub description_bytes: usize,
    /// What a guest may hand to the host in one call. 64 MiB: far more than any honest call, far less than the host has.
    pub hostcall_bytes: usize,
    /// Handles (open files, streams, pollables) that a guest may hold at once. 1,000: each open file is one of the host's.
    pub handles: usize,
    /// Files that an attempt may publish. 1,000.
    pub artifact_files: usize,
    /// Bytes that an attempt may publish, over all files. 16 GiB.
    pub artifact_bytes: u64,
    /// The body of one HTTP response. 64 MiB: what is larger is fetched in ranges, and kept on disk.
    pub http_response_bytes: u64,
    /// HTTP requests of one attempt at the same time, each until its response is read or dropped. 32.
    pub http_requests: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 256 * MIB,
            table_elements: 200_000,
            output_bytes: MIB,
            log_bytes: MIB,
            log_line_bytes: 8 * 1_024,
            checkpoint_bytes: MIB,
            component_bytes: 64 * MIB as u64,
            describe_time: Duration::from_secs(10),
            description_bytes: MIB / 4,
            hostcall_bytes: 64 * MIB,
            handles: 1_000,
            artifact_files: 1_000,
            artifact_bytes: 16 * 1_024 * MIB as u64,
            http_response_bytes: 64 * MIB as u64,
            http_requests: 32,
        }
    }
}

const MIB: usize = 1_024 * 1_024;
