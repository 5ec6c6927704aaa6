//! Writes a large set of records as a CSV file.
//!
//! The records are read twice, one at a time: once to count them and to learn their columns, once to write them. Only
//! sorting holds more than one record, and no more than [`places::Limits`] says. What a person asks for is here and in
//! [`request`]; [`export`] is the way through the passes; the other modules are its parts, and none of them knows the
//! daemon: they see directories ([`places::Places`]) and somebody who watches ([`watch::Watch`]).

mod cell;
mod columns;
mod export;
mod filter;
mod part;
mod place;
mod places;
mod records;
mod request;
mod resume;
mod scan;
mod sort;
mod source;
#[cfg(test)]
mod tests;
mod watch;

use serde::Serialize;
use windlass_guest::schemars::{self, JsonSchema};
use windlass_guest::{Job, TaskError, task};

use self::export::export;
use self::places::{Limits, Places};
use self::request::Args;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct Output {
    /// How many records the file has; the header is not one of them.
    rows: u64,
    /// The columns, in the file's order.
    columns: Vec<String>,
    /// The size of the file.
    bytes: u64,
    /// The name of the file among the job's artifacts.
    file: String,
}

/// Writes records as CSV.
///
/// Reads JSON Lines or a JSON array of objects, plain or gzip, from the directory `/data`, and leaves a CSV file (RFC 4180)
/// as the job's artifact. A second attempt goes on where the first stopped.
#[task(queue = "exports", max_attempts = 5, timeout = "30m")]
fn export_csv(job: &Job, args: Args) -> Result<Output, TaskError> {
    export(&args, &Places::of_a_job(), &Limits::default(), job)
}
