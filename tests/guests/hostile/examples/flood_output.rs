//! Returns a text of `mib` MiB.

use hostile::TaskError;
use hostile::bindings::Guest;
use hostile::serde_json::{Value, from_str};

struct Plugin;

impl Guest for Plugin {
    // By hand, because a text that is made from JSON takes its memory twice.
    fn execute(_job_id: String, args_json: String) -> Result<String, TaskError> {
        let args: Value = from_str(&args_json).unwrap_or_default();
        let mib = args["mib"].as_u64().unwrap_or(1_024) as usize;
        let mut text = "x".repeat(mib << 20);
        text.insert(0, '"');
        text.push('"');
        Ok(text)
    }
}

hostile::bindings::export!(Plugin with_types_in hostile::bindings);
