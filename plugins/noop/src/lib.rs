//! Does nothing, but all that a job does: reads its arguments, reports once how far it is, returns JSON.
//!
//! Made without the SDK, from the smallest world: it is what a daemon is measured with, so it has nothing that it does not use.

use serde::{Deserialize, Serialize};

wit_bindgen::generate!({ path: "../../wit", world: "task" });

use windlass::task::job::report_progress;
use windlass::task::task_types::Progress;

struct Noop;

/// An order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Args {
    customer: String,
    lines: Vec<Line>,
    note: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    article: String,
    pieces: u32,
    cents: u64,
}

/// What it comes to.
#[derive(Serialize)]
struct Output {
    customer: String,
    articles: Vec<String>,
    pieces: u32,
    cents: u64,
    note_bytes: usize,
}

impl Guest for Noop {
    fn execute(_job_id: String, args_json: String) -> Result<String, TaskError> {
        let args: Args = serde_json::from_str(&args_json).map_err(|error| TaskError::Fatal(error.to_string()))?;
        report_progress(&Progress { percent_complete: Some(50), task_step: None, status_info: None });
        let pieces = args.lines.iter().map(|line| line.pieces).fold(0, u32::saturating_add);
        let cents =
            args.lines.iter().map(|line| line.cents.saturating_mul(line.pieces.into())).fold(0, u64::saturating_add);
        let articles = args.lines.into_iter().map(|line| line.article).collect();
        let output = Output { customer: args.customer, articles, pieces, cents, note_bytes: args.note.len() };
        serde_json::to_string(&output).map_err(|error| TaskError::Fatal(error.to_string()))
    }
}

export!(Noop);
