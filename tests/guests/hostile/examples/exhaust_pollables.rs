//! Takes one handle to a clock after another and gives none back.

use hostile::Said;
use hostile::serde_json::Value;
use wasip2::clocks::monotonic_clock::subscribe_duration;

fn attempt(_: Value) -> Said {
    let mut held = Vec::new();
    loop {
        held.push(subscribe_duration(1_000_000_000_000));
    }
}

hostile::plugin!(attempt);
