//! Aborts without a word.

use hostile::Said;
use hostile::serde_json::Value;

fn attempt(_: Value) -> Said {
    std::process::abort()
}

hostile::plugin!(attempt);
