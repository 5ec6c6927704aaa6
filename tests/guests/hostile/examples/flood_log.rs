//! A million lines of log.

use std::io::Write;

use hostile::Said;
use hostile::serde_json::{Value, json};

fn attempt(_: Value) -> Said {
    let mut out = std::io::BufWriter::with_capacity(64 * 1_024, std::io::stdout().lock());
    let mut lines = 0_u64;
    for line in 0..1_000_000 {
        match writeln!(out, "line {line}") {
            Ok(()) => lines += 1,
            Err(error) => return Ok(json!({ "lines": lines, "error": error.to_string() })),
        }
    }
    Ok(json!({ "lines": lines }))
}

hostile::plugin!(attempt);
