//! Computes for ever inside a loop of calls to the host.

use hostile::serde_json::Value;
use hostile::{Said, job};

fn attempt(_: Value) -> Said {
    loop {
        job::is_cancelled();
    }
}

hostile::plugin!(attempt);
