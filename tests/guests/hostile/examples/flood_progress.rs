//! A million reports of progress, each a step of its own.

use hostile::serde_json::{Value, json};
use hostile::{Said, job};

fn attempt(_: Value) -> Said {
    for step in 1..=1_000_000 {
        let info = format!("Step {step}");
        job::report_progress(&job::Progress { percent_complete: None, task_step: Some(step), status_info: Some(info) });
    }
    Ok(json!({ "reports": 1_000_000 }))
}

hostile::plugin!(attempt);
