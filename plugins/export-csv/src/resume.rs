//! What a later attempt needs to go on where an earlier one stopped.
//!
//! It goes on only if the source has the same size and time, the arguments are the same, and the half-made file is still
//! there: scratch space may be on another host. Otherwise the export starts over, which is always right.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use serde::{Deserialize, Serialize};
use windlass_guest::{OrFatal, TaskError};

use crate::request::Args;
use crate::source::Stamp;

/// A checkpoint has at most 1 MiB, and JSON may make six characters of one. Wider files start over.
const COLUMNS_MAX: usize = 128 * 1024;

/// How far an export is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// How many records have been read,
    pub(crate) records: u64,
    /// how many of them written,
    pub(crate) rows: u64,
    /// and how many bytes the file has with them.
    pub(crate) bytes: u64,
    /// What the counting found, so that it need not be done again.
    pub(crate) total: u64,
    pub(crate) columns: Vec<String>,
    source: Stamp,
    args: u64,
}

impl Checkpoint {
    /// An export that has counted its records, and read none.
    pub(crate) fn new(args: &Args, source: Stamp, total: u64, columns: Vec<String>) -> Result<Self, TaskError> {
        Ok(Self { records: 0, rows: 0, bytes: 0, total, columns, source, args: hash(args)? })
    }

    /// Whether an attempt with these arguments and this source can go on from here.
    pub(crate) fn is_usable(&self, args: &Args, source: Stamp, part: &Path) -> Result<bool, TaskError> {
        let written = fs::metadata(part).map_or(0, |metadata| metadata.len());
        Ok(self.args == hash(args)? && self.source == source && self.bytes > 0 && written >= self.bytes)
    }

    pub(crate) fn fits(&self) -> bool {
        self.columns.iter().map(|column| column.len() + 1).sum::<usize>() <= COLUMNS_MAX
    }
}

/// The arguments as a number. Another version of the compiler may hash otherwise: then the export starts over. So does
/// another version of this plugin, which may write otherwise.
fn hash(args: &Args) -> Result<u64, TaskError> {
    let mut hasher = DefaultHasher::new();
    env!("CARGO_PKG_VERSION").hash(&mut hasher);
    serde_json::to_string(args).or_fatal()?.hash(&mut hasher);
    Ok(hasher.finish())
}
