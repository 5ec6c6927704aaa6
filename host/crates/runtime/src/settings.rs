//! What the sandbox is told when it is made: places, sizes, limits, a clock.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use windlass_model::Timestamp;

use crate::egress::client::EgressSettings;
use crate::limits::Limits;
use crate::memory_reuse::MemoryReuse;

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
    /// What an attempt may use whose plugin does not say otherwise.
    pub limits: Limits,
    /// What no plugin may go above. The pool of instances has room for memories of this size.
    pub ceiling: Limits,
    /// Whether instructions are counted, so that a plugin may have a limit of fuel. It makes every guest slower.
    pub fuel: bool,
    /// Whether the memory of ended instances is kept for the next.
    pub memory_reuse: MemoryReuse,
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
