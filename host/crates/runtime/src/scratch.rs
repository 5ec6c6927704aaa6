//! The two directories of a job on this host: `/out`, fresh for each attempt, and `/tmp`, kept between attempts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use windlass_model::JobId;

/// The directories of one attempt.
pub(crate) struct Scratch {
    /// What the guest sees as `/out`. It has the lease in its path: an attempt that lost its job may still be running, and
    /// must not write into the output of the one that has it.
    pub(crate) out: PathBuf,
    /// What the guest sees as `/tmp`.
    pub(crate) tmp: PathBuf,
}

impl Scratch {
    /// Makes them. What earlier attempts left in `/out` is removed.
    pub(crate) fn prepare(work_dir: &Path, job: JobId, lease: u64) -> io::Result<Self> {
        let own = work_dir.join(job.to_string());
        remove(&own.join("out"))?;
        let scratch = Self { out: own.join("out").join(lease.to_string()), tmp: own.join("tmp") };
        fs::create_dir_all(&scratch.out)?;
        fs::create_dir_all(&scratch.tmp)?;
        Ok(scratch)
    }

    /// Removes `/out`.
    pub(crate) fn discard_out(&self) -> io::Result<()> {
        remove(&self.out)
    }
}

/// Removes all that is kept of a job.
pub(crate) fn clean_up(work_dir: &Path, job: JobId) -> io::Result<()> {
    remove(&work_dir.join(job.to_string()))
}

fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
