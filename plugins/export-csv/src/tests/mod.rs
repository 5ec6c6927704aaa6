//! Whole exports, on temporary directories, watched by a double that remembers.

mod failing;
mod reading;
mod resuming;
mod sorting;

use std::cell::{Cell, RefCell};
use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tempfile::TempDir;
use windlass_guest::{TaskError, retryable};

use crate::Output;
use crate::export::export;
use crate::places::{Limits, Places};
use crate::request::Args;
use crate::resume::Checkpoint;
use crate::watch::Watch;

/// A job on directories of its own. Checkpoints and scratch space stay from attempt to attempt.
struct Bench {
    _root: TempDir,
    places: Places,
    limits: Limits,
    watch: Double,
}

#[derive(Default)]
struct Double {
    reports: RefCell<Vec<(u32, u8, String)>>,
    saved: RefCell<Vec<Checkpoint>>,
    /// It says that the job is cancelled from the report on that has this text.
    cancel_at: RefCell<Option<String>>,
    cancelled: Cell<bool>,
    /// The checkpoint with this number of records fails after it was kept, as if the host went away.
    fail_at: Cell<Option<u64>>,
}

impl Watch for Double {
    fn report(&self, step: u32, percent: u8, info: String) {
        if self.cancel_at.borrow().as_ref() == Some(&info) {
            self.cancelled.set(true);
        }
        self.reports.borrow_mut().push((step, percent, info));
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.get()
    }

    fn save(&self, checkpoint: &Checkpoint) -> Result<(), TaskError> {
        self.saved.borrow_mut().push(checkpoint.clone());
        if self.fail_at.get() == Some(checkpoint.records) {
            return Err(retryable("the host went away"));
        }
        Ok(())
    }

    fn load(&self) -> Option<Checkpoint> {
        self.saved.borrow().last().cloned()
    }
}

impl Bench {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let [data, tmp, out] = ["data", "tmp", "out"].map(|name| root.path().join(name));
        for directory in [&data, &tmp, &out] {
            fs::create_dir(directory).unwrap();
        }
        let places = Places { data, tmp, out };
        Self { _root: root, places, limits: Limits::default(), watch: Double::default() }
    }

    /// A job with this source.
    fn with(name: &str, content: impl AsRef<[u8]>) -> Self {
        let bench = Self::new();
        fs::write(bench.places.data.join(name), content).unwrap();
        bench
    }

    /// One attempt.
    fn run(&self, args: Value) -> Result<Output, TaskError> {
        let args: Args = serde_json::from_value(args).unwrap();
        export(&args, &self.places, &self.limits, &self.watch)
    }

    /// One attempt that must end well; the file that it made.
    fn csv(&self, args: Value) -> String {
        let output = self.run(args).unwrap();
        let csv = fs::read_to_string(self.places.out.join(&output.file)).unwrap();
        assert_eq!(output.bytes, csv.len() as u64);
        csv
    }

    /// Nothing may be left for download.
    fn assert_no_artifact(&self) {
        assert_eq!(fs::read_dir(&self.places.out).unwrap().count(), 0);
    }

    fn assert_no_scratch(&self) {
        assert_eq!(fs::read_dir(&self.places.tmp).unwrap().count(), 0);
    }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// That many records, as lines.
fn lines(count: u64) -> String {
    (1..=count).map(|id| format!("{{\"id\":{id},\"name\":\"item {id}\",\"group\":{}}}\n", id * 7 % 10)).collect()
}
