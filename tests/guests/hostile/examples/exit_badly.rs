//! Ends its process with a status.

use hostile::Said;
use hostile::serde_json::Value;

fn attempt(_: Value) -> Said {
    std::process::exit(7)
}

hostile::plugin!(attempt);
