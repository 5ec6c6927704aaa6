//! Queues: limits, pauses and operations on many jobs, through the command line.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::command_line::{text, windlass};
use crate::daemon::Daemon;

#[tokio::test]
async fn a_paused_queue_stays_paused_over_a_kill_until_it_is_resumed() {
    let mut daemon = Daemon::start().await;
    let paused = windlass(&["queues", "pause", "default", "--url", &daemon.url]);
    assert_eq!(paused.status.code(), Some(0), "{}", text(&paused.stderr));
    let id = daemon.enqueue(json!({ "do": "ok", "value": 1 })).await;
    daemon.kill();
    daemon.start_again();
    let other =
        daemon.enqueue_job(json!({ "task": "probe", "queue": "other", "args": { "do": "ok", "value": 1 } })).await;
    daemon.finished(&other).await;
    assert_eq!(daemon.job(&id).await["state"], "available");
    let listed = windlass(&["queues", "--url", &daemon.url]);
    let row = text(&listed.stdout).lines().find(|line| line.starts_with("default")).unwrap_or_default().to_owned();
    assert!(row.contains("paused"), "{}", text(&listed.stdout));
    windlass(&["queues", "resume", "default", "--url", &daemon.url]);
    assert_eq!(daemon.finished(&id).await["state"], "completed");
}

#[tokio::test]
async fn no_more_jobs_run_at_once_than_the_queue_allows() {
    let daemon = Daemon::start_with(&["--slots", "8"]).await;
    let set = windlass(&["queues", "set", "default", "--max-running", "2", "--json", "--url", &daemon.url]);
    assert_eq!(serde_json::from_slice::<Value>(&set.stdout).unwrap()["max_running"], 2, "{}", text(&set.stderr));
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(daemon.enqueue(json!({ "do": "wait_file", "path": format!("/data/{number}") })).await);
    }
    for (number, id) in ids.iter().enumerate() {
        let at_once = daemon.until_at("/api/v1/stats", |stats| stats["jobs"]["running"] == (6 - number).min(2)).await;
        assert_eq!(at_once["jobs"]["completed"], number);
        std::fs::write(daemon.path().join(format!("shared/{number}")), "").unwrap();
        daemon.finished(id).await;
    }
}

#[tokio::test]
async fn a_rate_lets_jobs_start_as_soon_as_it_may_and_no_sooner() {
    let daemon = Daemon::start().await;
    windlass(&["queues", "set", "default", "--rate", "2/400ms", "--url", &daemon.url]);
    let start = Instant::now();
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(daemon.enqueue(json!({ "do": "ok", "value": number })).await);
    }
    let mut starts = Vec::new();
    for id in &ids {
        starts.push(
            daemon.finished(id).await["started_at"].as_str().unwrap().parse::<windlass_model::Timestamp>().unwrap(),
        );
    }
    starts.sort();
    for (first, third) in starts.iter().zip(&starts[2..]) {
        assert!(third.since(*first) >= Duration::from_millis(400), "{starts:?}");
    }
    assert!(start.elapsed() >= Duration::from_millis(800));
}

#[tokio::test]
async fn jobs_that_match_are_cancelled_and_retried_from_the_command_line() {
    let daemon = Daemon::start().await;
    let mut ids = Vec::new();
    for number in 0..250 {
        let job = json!({ "task": "probe", "delay_ms": 3_600_000, "tags": ["many"], "args": { "do": "ok", "value": number } });
        ids.push(daemon.enqueue_job(job).await);
    }
    let cancelled = windlass(&["jobs", "cancel", "--tag", "many", "--url", &daemon.url]);
    assert_eq!(
        text(&cancelled.stdout).trim(),
        "250 of 250 jobs cancelled or told to stop",
        "{}",
        text(&cancelled.stderr)
    );
    let retried =
        windlass(&["jobs", "retry", "--state", "cancelled", "--task", "probe", "--json", "--url", &daemon.url]);
    let operation: Value = serde_json::from_slice(&retried.stdout).unwrap();
    assert_eq!((&operation["kind"], &operation["changed"]), (&json!("retry"), &json!(250)));
    for id in [&ids[0], &ids[249]] {
        assert_eq!(daemon.finished(id).await["state"], "completed");
    }
    let usage = windlass(&["jobs", "cancel", "--url", &daemon.url]);
    assert_eq!(usage.status.code(), Some(2), "neither an id nor a filter");
}
