//! Makes empty files in the folder `in`, without end or until the host refuses one.

use hostile::Said;
use hostile::serde_json::{Value, json};

fn attempt(args: Value) -> Said {
    let folder = args["in"].as_str().unwrap_or("/out").to_owned();
    let most = args["most"].as_u64().unwrap_or(u64::MAX);
    for made in 0..most {
        if let Err(error) = std::fs::File::create(format!("{folder}/{made}")) {
            return Ok(json!({ "made": made, "error": error.to_string() }));
        }
    }
    Ok(json!({ "made": most }))
}

hostile::plugin!(attempt);
