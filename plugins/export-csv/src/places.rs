//! The directories of an export, and how much it holds.

use std::fs;
use std::path::PathBuf;

/// The directories of an export.
pub(crate) struct Places {
    pub(crate) data: PathBuf,
    pub(crate) tmp: PathBuf,
    pub(crate) out: PathBuf,
}

pub(crate) struct Limits {
    /// How many bytes of rows the sorting holds in memory.
    pub(crate) sort_memory: usize,
    /// After how many records read a checkpoint is kept.
    pub(crate) checkpoint_every: u64,
}

impl Default for Limits {
    /// A quarter of the memory that a component has if nobody says otherwise; and about a second of reading.
    fn default() -> Self {
        Self { sort_memory: 64 * 1024 * 1024, checkpoint_every: 20_000 }
    }
}

impl Places {
    pub(crate) fn of_a_job() -> Self {
        Self { data: "/data".into(), tmp: "/tmp".into(), out: "/out".into() }
    }

    pub(crate) fn part(&self) -> PathBuf {
        self.tmp.join("export.csv.part")
    }

    pub(crate) fn runs(&self) -> PathBuf {
        self.tmp.join("export.runs")
    }

    /// Removes what an attempt has left. What cannot be removed goes with the job.
    pub(crate) fn clear(&self) {
        _ = fs::remove_file(self.part());
        _ = fs::remove_dir_all(self.runs());
    }
}
