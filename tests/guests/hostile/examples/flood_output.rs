//! Returns an output as large as memory allows: `mib` MiB.

use hostile::Said;
use hostile::serde_json::{Value, json};

fn attempt(args: Value) -> Said {
    let mib = args["mib"].as_u64().unwrap_or(100) as usize;
    Ok(json!("x".repeat(mib << 20)))
}

hostile::plugin!(attempt);
