//! A gigabyte on standard output, without one end of a line.

use std::io::Write;

use hostile::Said;
use hostile::serde_json::{Value, json};

const CHUNK: usize = 1 << 20;

fn attempt(_: Value) -> Said {
    let chunk = vec![b'x'; CHUNK];
    let mut out = std::io::stdout().lock();
    let mut written = 0_u64;
    for _ in 0..1_024 {
        match out.write_all(&chunk) {
            Ok(()) => written += CHUNK as u64,
            Err(error) => return Ok(json!({ "written": written, "error": error.to_string() })),
        }
    }
    Ok(json!({ "written": written }))
}

hostile::plugin!(attempt);
