//! What a run came to.

use std::fmt;
use std::time::Duration;

use crate::daemon::Held;

/// The part of the laps that warms the daemon up: threads, caches, the allocator's arenas.
const WARM_UP: f64 = 0.2;

/// How much more memory the last quarter may hold than the first after the warm-up.
const GROWTH: f64 = 0.05;

/// The same for a short run, which is over before all caches are full.
const SHORT_GROWTH: f64 = 0.15;

/// How many jobs make a run that is not short.
const LONG: u64 = 50_000;

/// What a run came to.
pub(crate) struct Verdict {
    /// The middle of the samples in the first quarter after the warm-up, and in the last; in MiB.
    memory: (f64, f64),
    allowed: f64,
    threads: (u64, u64),
    files: (u64, u64),
    wrong_endings: Vec<String>,
    health: Vec<Duration>,
    stopped: bool,
}

impl Verdict {
    /// Takes how many jobs there were, the samples of all laps, the endings that are wrong, the times of `/healthz`, sorted, and whether the daemon stopped in
    /// good order.
    pub(crate) fn of(
        jobs: u64,
        held: &[Held],
        wrong_endings: Vec<String>,
        health: Vec<Duration>,
        stopped: bool,
    ) -> Self {
        let warm = &held[(held.len() as f64 * WARM_UP) as usize..];
        let quarter = (warm.len() / 4).max(1);
        let (first, last) = (&warm[..quarter], &warm[warm.len() - quarter..]);
        let both = |value: fn(&Held) -> u64| (middle(first, value), middle(last, value));
        let (before, after) = both(|held| held.resident_kib);
        Self {
            memory: (before as f64 / 1_024.0, after as f64 / 1_024.0),
            allowed: if jobs < LONG { SHORT_GROWTH } else { GROWTH },
            threads: both(|held| held.threads),
            files: both(|held| held.files),
            wrong_endings,
            health,
            stopped,
        }
    }

    fn growth(&self) -> f64 {
        self.memory.1 / self.memory.0 - 1.0
    }

    /// What is not as it should be, in words.
    fn faults(&self) -> Vec<String> {
        let mut faults = self.wrong_endings.clone();
        if self.growth() > self.allowed {
            faults.push(format!("the memory grew by {:.1} %", self.growth() * 100.0));
        }
        if self.threads.1 > self.threads.0 + 8 {
            faults.push(format!("{} threads became {}", self.threads.0, self.threads.1));
        }
        if self.files.1 > self.files.0 + 8 {
            faults.push(format!("{} open files became {}", self.files.0, self.files.1));
        }
        if self.health.is_empty() || self.health.last() >= Some(&Duration::from_secs(60)) {
            faults.push("/healthz did not answer".to_owned());
        }
        if !self.stopped {
            faults.push("the daemon did not stop in good order".to_owned());
        }
        faults
    }

    pub(crate) fn is_good(&self) -> bool {
        self.faults().is_empty()
    }
}

fn middle(samples: &[Held], value: fn(&Held) -> u64) -> u64 {
    let mut values: Vec<_> = samples.iter().map(value).collect();
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |part: f64| self.health.get((self.health.len() as f64 * part) as usize).copied().unwrap_or_default();
        let (before, after) = self.memory;
        writeln!(
            f,
            "Memory: {before:.1} MiB after the warm-up, {after:.1} MiB at the end: {:+.1} %",
            self.growth() * 100.0
        )?;
        writeln!(
            f,
            "Threads: {} and {}. Open files: {} and {}.",
            self.threads.0, self.threads.1, self.files.0, self.files.1
        )?;
        let (middle, high) = (part(0.5), part(0.99));
        writeln!(f, "/healthz: {} times, {middle:.1?} in the middle, {high:.1?} at p99", self.health.len())?;
        match self.faults() {
            faults if faults.is_empty() => {
                write!(f, "Flat within {:.0} %, and every job ended as it should.", self.allowed * 100.0)
            }
            faults => write!(f, "BROKEN: {}", faults.join("; ")),
        }
    }
}
