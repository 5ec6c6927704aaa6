//! Ends its process with success in place of returning.

use hostile::Said;
use hostile::serde_json::Value;

fn attempt(_: Value) -> Said {
    std::process::exit(0)
}

hostile::plugin!(attempt);
