//! Waits for ever inside one call to the host, deaf to a cancel.

use std::time::Duration;

use hostile::serde_json::{Value, json};
use hostile::{Said, job};

fn attempt(_: Value) -> Said {
    let step = job::Progress { percent_complete: None, task_step: Some(1), status_info: None };
    job::report_progress(&step);
    std::thread::sleep(Duration::from_secs(1_000_000));
    Ok(json!("woken"))
}

hostile::plugin!(attempt);
