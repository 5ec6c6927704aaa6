//! Takes memory in small bites, and touches all of it.

use std::hint::black_box;

use hostile::Said;
use hostile::serde_json::Value;

fn attempt(_: Value) -> Said {
    let mut eaten: Vec<Vec<u8>> = Vec::new();
    loop {
        eaten.push(vec![1; 64 * 1_024]);
        black_box(&eaten);
    }
}

hostile::plugin!(attempt);
