//! What the peers that are crates share: their arguments, the marks that the runner times by, and waiting.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How often a handler ran.
pub static HANDLED: AtomicU64 = AtomicU64::new(0);

/// How many jobs go into the database at once.
pub const BATCH: u64 = 1000;

/// What a job carries.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Order {
    customer: String,
    lines: Vec<Line>,
    note: String,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
struct Line {
    article: String,
    pieces: u32,
    cents: u64,
}

/// What it comes to.
#[derive(Debug, Serialize)]
pub struct Total {
    customer: String,
    articles: Vec<String>,
    pieces: u32,
    cents: u64,
    note_bytes: usize,
}

/// What the runner asks for.
#[derive(Debug)]
pub struct Stage {
    /// The database of this run, as a URL.
    pub url: String,
    /// How many jobs.
    pub jobs: u64,
    /// The fast settings, in place of the default ones.
    pub is_fast: bool,
    /// What each job carries.
    pub payload: Order,
    patience: Duration,
}

impl Stage {
    /// Reads the arguments, all of which the runner gives.
    pub fn from_arguments() -> Result<Self> {
        let given: Vec<String> = std::env::args().collect();
        let value = |name: &str| {
            let at = given.iter().position(|word| word == name).with_context(|| format!("{name} is missing"))?;
            given.get(at + 1).cloned().with_context(|| format!("{name} has no value"))
        };
        Ok(Self {
            url: value("--url")?,
            jobs: value("--jobs")?.parse()?,
            is_fast: value("--settings")? == "fast",
            payload: serde_json::from_str(&value("--payload")?)?,
            patience: Duration::from_secs_f64(value("--seconds")?.parse()?),
        })
    }

    /// The sizes of the batches that make up all jobs.
    pub fn batches(&self) -> impl Iterator<Item = u64> + use<> {
        let jobs = self.jobs;
        (0..jobs.div_ceil(BATCH)).map(move |number| BATCH.min(jobs - number * BATCH))
    }

    /// Marks the begin of the drain, and waits until all are handled and none is left in the database, or until the time is over.
    /// The database is asked only when all have been handled. Returns how many were left.
    pub async fn drained<F: Future<Output = Result<u64>>>(&self, left: impl Fn() -> F, end: Instant) -> Result<u64> {
        while Instant::now() < end {
            if HANDLED.load(Ordering::Relaxed) >= self.jobs && left().await? == 0 {
                return Ok(0);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        left().await
    }

    /// Tells that the drain begins; returns when its time is over.
    #[must_use]
    pub fn begin(&self) -> Instant {
        mark("draining");
        Instant::now() + self.patience
    }

    /// Tells that the drain is over, and what was found.
    pub fn end(&self, left: u64) -> Result<()> {
        mark("drained");
        ensure!(left <= self.jobs, "{left} of {} jobs are left", self.jobs);
        let handled = HANDLED.load(Ordering::Relaxed);
        println!("{}", json!({ "done": self.jobs - left, "left": left, "handled": handled }));
        Ok(())
    }
}

impl Order {
    /// What a handler does: says what the order comes to, as the `noop` of the gallery does.
    #[must_use]
    pub fn total(self) -> Total {
        HANDLED.fetch_add(1, Ordering::Relaxed);
        Total {
            pieces: self.lines.iter().map(|line| line.pieces).sum(),
            cents: self.lines.iter().map(|line| u64::from(line.pieces) * line.cents).sum(),
            articles: self.lines.into_iter().map(|line| line.article).collect(),
            note_bytes: self.note.len(),
            customer: self.customer,
        }
    }
}

/// Tells the runner that a phase begins or is over; it takes the time and the processor time of that moment.
pub fn mark(name: &str) {
    println!("{}", json!({ "mark": name }));
}
