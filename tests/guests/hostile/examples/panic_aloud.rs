//! Panics.

use hostile::Said;
use hostile::serde_json::Value;

fn attempt(_: Value) -> Said {
    panic!("the hold is on fire")
}

hostile::plugin!(attempt);
