//! Enqueues itself `width` times, `depth` generations deep: without a bound that is a fork bomb.

use hostile::serde_json::{Value, json};
use hostile::{Said, jobs};

fn attempt(args: Value) -> Said {
    let (width, depth) = (args["width"].as_u64().unwrap_or(u64::MAX), args["depth"].as_u64().unwrap_or(u64::MAX));
    let mut made = 0_u64;
    while depth > 0 && made < width {
        let child = json!({ "task": "fork", "args": { "width": width, "depth": depth - 1, "number": made } });
        match jobs::enqueue(&child.to_string()) {
            Ok(_) => made += 1,
            Err(refused) => return Ok(json!({ "made": made, "refused": refused })),
        }
    }
    Ok(json!({ "made": made }))
}

hostile::plugin!(attempt);
