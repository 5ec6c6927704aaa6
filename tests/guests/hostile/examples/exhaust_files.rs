//! Opens a file again and again and closes none.

use hostile::Said;
use hostile::serde_json::{Value, json};

fn attempt(_: Value) -> Said {
    let mut held = Vec::new();
    loop {
        match std::fs::File::create("/tmp/open") {
            Ok(file) => held.push(file),
            Err(error) => return Ok(json!({ "held": held.len(), "error": error.to_string() })),
        }
    }
}

hostile::plugin!(attempt);
