//! Computes for ever inside a loop of calls to the host.

use hostile::{Said, job};
use hostile::serde_json::Value;

fn attempt(_: Value) -> Said {
    loop {
        job::is_cancelled();
    }
}

hostile::plugin!(attempt);
