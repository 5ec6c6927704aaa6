//! Sorting more rows than memory holds: as many as fit are sorted and written as a run, and the runs are merged.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::vec;

use serde::{Deserialize, Serialize};
use windlass_guest::TaskError;

use crate::cell::Key;
use crate::request::Direction;
use crate::watch::Meter;

/// How many runs are merged at once: each has a file open and a buffer of 64 KiB.
const FAN_IN: usize = 64;
const BUFFER: usize = 64 * 1024;
/// What the allocator takes for each piece beside its content, roughly.
const PIECE: usize = 16;

/// A row to be sorted: by its keys, then as in the source.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) keys: Vec<Directed>,
    pub(crate) number: u64,
    pub(crate) fields: Vec<String>,
}

/// A key in the direction in which it counts.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Directed {
    Asc(Key),
    Desc(Reverse<Key>),
}

impl Directed {
    pub(crate) const fn new(key: Key, direction: Direction) -> Self {
        match direction {
            Direction::Asc => Self::Asc(key),
            Direction::Desc => Self::Desc(Reverse(key)),
        }
    }

    const fn heap(&self) -> usize {
        let (Self::Asc(key) | Self::Desc(Reverse(key))) = self;
        key.heap()
    }
}

impl Row {
    /// The bytes that it takes in memory.
    fn size(&self) -> usize {
        let keys: usize = self.keys.iter().map(|key| size_of::<Directed>() + PIECE + key.heap()).sum();
        let fields: usize = self.fields.iter().map(|field| size_of::<String>() + PIECE + field.capacity()).sum();
        size_of::<Self>() + 2 * PIECE + keys + fields
    }
}

pub(crate) struct Sorter {
    directory: PathBuf,
    /// How many bytes of rows are held.
    memory: usize,
    rows: Vec<Row>,
    held: usize,
    runs: Vec<PathBuf>,
    runs_made: u64,
    rows_spilled: u64,
}

impl Sorter {
    /// Sorts in a directory that is made empty; nothing in it is of use for a later attempt.
    pub(crate) fn new(directory: &Path, memory: usize) -> Result<Self, TaskError> {
        _ = fs::remove_dir_all(directory);
        fs::create_dir_all(directory)?;
        let directory = directory.to_owned();
        Ok(Self { directory, memory, rows: Vec::new(), held: 0, runs: Vec::new(), runs_made: 0, rows_spilled: 0 })
    }

    pub(crate) fn push(&mut self, row: Row) -> Result<(), TaskError> {
        self.held += row.size();
        self.rows.push(row);
        if self.held > self.memory {
            self.rows.sort_unstable();
            let rows = std::mem::take(&mut self.rows);
            self.rows_spilled += rows.len() as u64;
            self.held = 0;
            self.write_run(rows.into_iter().map(Ok))?;
        }
        Ok(())
    }

    /// All rows, sorted. Beyond 64 runs, runs are merged to longer ones first.
    pub(crate) fn finish(mut self, meter: &mut Meter<'_>) -> Result<Merge, TaskError> {
        meter.tick(0, self.rows_spilled.max(1), || "Sorting".to_owned())?;
        self.rows.sort_unstable();
        // Rows may be merged more than once; then the percent stays at 100 for a while.
        let mut done = 0;
        while self.runs.len() >= FAN_IN {
            let merged: Vec<PathBuf> = self.runs.drain(..FAN_IN).collect();
            let rows = Merge::of(merged.iter().map(|path| Run::open(path)))?;
            let total = self.rows_spilled;
            self.write_run(rows.map(|row| {
                done += 1;
                meter.tick(done, total, || "Sorting".to_owned())?;
                row
            }))?;
            for path in merged {
                fs::remove_file(path)?;
            }
        }
        let runs = self.runs.iter().map(|path| Run::open(path));
        Merge::of(runs.chain([Ok(Run::Memory(self.rows.into_iter()))]))
    }

    fn write_run(&mut self, rows: impl Iterator<Item = Result<Row, TaskError>>) -> Result<(), TaskError> {
        let path = self.directory.join(format!("{}.run", self.runs_made));
        self.runs_made += 1;
        let mut file = BufWriter::with_capacity(BUFFER, File::create(&path)?);
        for row in rows {
            serde_json::to_writer(&mut file, &row?)?;
            file.write_all(b"\n")?;
        }
        file.flush()?;
        self.runs.push(path);
        Ok(())
    }
}

/// Rows that are sorted already.
enum Run {
    Memory(vec::IntoIter<Row>),
    File { input: BufReader<File>, line: String },
}

impl Run {
    fn open(path: &Path) -> Result<Self, TaskError> {
        Ok(Self::File { input: BufReader::with_capacity(BUFFER, File::open(path)?), line: String::new() })
    }

    fn next(&mut self) -> Result<Option<Row>, TaskError> {
        match self {
            Self::Memory(rows) => Ok(rows.next()),
            Self::File { input, line } => {
                line.clear();
                if input.read_line(line)? == 0 {
                    return Ok(None);
                }
                Ok(Some(serde_json::from_str(line)?))
            }
        }
    }
}

/// Several runs as one.
pub(crate) struct Merge {
    runs: Vec<Run>,
    /// The first row of each run, with the run's index.
    heads: BinaryHeap<Reverse<(Row, usize)>>,
}

impl Merge {
    fn of(runs: impl Iterator<Item = Result<Run, TaskError>>) -> Result<Self, TaskError> {
        let mut merge = Self { runs: runs.collect::<Result<_, _>>()?, heads: BinaryHeap::new() };
        for index in 0..merge.runs.len() {
            merge.refill(index)?;
        }
        Ok(merge)
    }

    fn refill(&mut self, index: usize) -> Result<(), TaskError> {
        if let Some(row) = self.runs[index].next()? {
            self.heads.push(Reverse((row, index)));
        }
        Ok(())
    }
}

impl Iterator for Merge {
    type Item = Result<Row, TaskError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((row, index)) = self.heads.pop()?;
        Some(self.refill(index).map(|()| row))
    }
}
