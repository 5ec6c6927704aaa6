//! What the harness knows without asking the database: who was told 202, and which starts were witnessed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// The ledger of one round.
pub(crate) struct Ledger {
    folder: PathBuf,
    start: Instant,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    acknowledged: Vec<(String, Duration)>,
    answers: BTreeMap<String, u32>,
}

/// The starts of one job.
#[derive(Clone, Debug, Default)]
pub(crate) struct Starts {
    /// How many were witnessed.
    pub(crate) begun: usize,
    /// How many of them came to their end.
    pub(crate) ended: usize,
    /// The names of the files.
    pub(crate) lines: Vec<String>,
}

impl Ledger {
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned(), start: Instant::now(), told: Mutex::default() })
    }

    /// Where the guests leave their files.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Somebody was told that these jobs are durable.
    pub(crate) fn acknowledge(&self, ids: impl IntoIterator<Item = String>) {
        let at = self.start.elapsed();
        self.lock().acknowledged.extend(ids.into_iter().map(|id| (id, at)));
    }

    /// Counts an answer to an enqueue: `202`, `503 database_unavailable`, `no answer`.
    pub(crate) fn count(&self, answer: String) {
        *self.lock().answers.entry(answer).or_default() += 1;
    }

    /// Who was told 202, and when.
    pub(crate) fn acknowledged(&self) -> Vec<(String, Duration)> {
        self.lock().acknowledged.clone()
    }

    /// How many were told 202.
    pub(crate) fn acknowledged_count(&self) -> usize {
        self.lock().acknowledged.len()
    }

    /// What enqueues were answered, with how often.
    pub(crate) fn answers(&self) -> BTreeMap<String, u32> {
        self.lock().answers.clone()
    }

    /// The starts that were witnessed, by job.
    pub(crate) fn starts(&self) -> Result<BTreeMap<String, Starts>> {
        let mut starts = BTreeMap::<_, Starts>::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            let (job, _) = name.split_once('.').with_context(|| format!("{name} is no witness"))?;
            let starts = starts.entry(job.to_owned()).or_default();
            starts.begun += 1;
            starts.ended += usize::from(name.ends_with(".end"));
            starts.lines.push(name);
        }
        Ok(starts)
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
