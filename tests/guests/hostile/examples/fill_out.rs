//! Fills /out with one file of `mib` MiB, as far as it may.

use std::io::Write;

use hostile::Said;
use hostile::serde_json::{Value, json};

fn attempt(args: Value) -> Said {
    let chunk = vec![b'x'; 1 << 20];
    let mut file = std::fs::File::create("/out/large").map_err(|error| hostile::TaskError::Fatal(error.to_string()))?;
    for written in 0..args["mib"].as_u64().unwrap_or(u64::MAX) {
        if let Err(error) = file.write_all(&chunk) {
            return Ok(json!({ "written_mib": written, "error": error.to_string() }));
        }
    }
    Ok(json!({ "written_mib": args["mib"] }))
}

hostile::plugin!(attempt);
