//! What the sandbox is told when it is made: places, sizes, limits, a clock.

use std::path::PathBuf;

use windlass_model::Timestamp;

use crate::limits::Limits;

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
    /// What time it is.
    pub clock: fn() -> Timestamp,
}
