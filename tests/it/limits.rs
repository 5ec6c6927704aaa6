//! What one plugin may use, and that the daemon and the other jobs do not suffer for it.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::daemon::Daemon;

/// Far above what it takes (see `host/docs/limits.md`): this sees a daemon that waits behind its guests, whatever the machine.
const HEALTHY: Duration = Duration::from_millis(500);

#[tokio::test]
async fn guests_that_compute_on_every_processor_leave_the_daemon_awake_and_other_jobs_moving() {
    let daemon = Daemon::start_with(&["--slots", "10"]).await;
    let mut busy = Vec::new();
    for _ in 0..8 {
        busy.push(daemon.enqueue(json!({ "do": "spin" })).await);
    }
    daemon.until_at("/api/v1/stats", |stats| stats["jobs"]["running"] == 8).await;
    let mut waits = Vec::new();
    for round in 0..20 {
        for _ in 0..10 {
            let start = Instant::now();
            assert_eq!(daemon.get("/healthz").await.0, 200);
            waits.push(start.elapsed());
        }
        let job = daemon.run(json!({ "do": "ok", "value": round })).await;
        assert_eq!(job["output"], round);
    }
    waits.sort();
    let (half, most) = (waits[waits.len() / 2], waits[waits.len() * 99 / 100]);
    println!("/healthz beside eight guests that compute: p50 {half:?}, p99 {most:?}");
    assert!(most < HEALTHY, "{most:?}");
    for id in busy {
        daemon.post(&format!("/api/v1/jobs/{id}/cancel"), &json!({})).await;
    }
}

#[tokio::test]
async fn no_more_jobs_of_a_task_run_at_once_on_a_worker_than_its_grants_say() {
    let daemon = Daemon::start_with(&["--slots", "8"]).await;
    let grants = daemon.path().join("plugins/probe.toml");
    let text = std::fs::read_to_string(&grants).unwrap();
    std::fs::write(&grants, format!("{text}\n[limits]\nconcurrency = 2\n")).unwrap();
    let limits = |task: &serde_json::Value| task["version"]["limits"]["concurrency"] == 2;
    daemon.until_at("/api/v1/tasks/probe", limits).await;
    let mut ids = Vec::new();
    for number in 0..6 {
        ids.push(daemon.enqueue(json!({ "do": "wait_file", "path": format!("/data/{number}") })).await);
    }
    for (number, id) in ids.iter().enumerate() {
        let at_once = daemon.until_at("/api/v1/stats", |stats| stats["jobs"]["running"] == (6 - number).min(2)).await;
        assert_eq!(at_once["jobs"]["completed"], number);
        std::fs::write(daemon.path().join("shared").join(number.to_string()), "").unwrap();
        assert_eq!(daemon.finished(id).await["state"], "completed");
    }
}

#[tokio::test]
async fn a_job_and_its_attempts_show_what_they_used() {
    let daemon = Daemon::start().await;
    let job = daemon.run(json!({ "do": "fill", "folder": "/tmp", "files": 2, "bytes": 500, "panics": true })).await;
    assert_eq!(job["bill"]["written_bytes"], 1_000, "{job}");
    let (_, attempts) = daemon.get(&format!("/api/v1/jobs/{}/attempts", job["id"].as_str().unwrap())).await;
    assert_eq!(attempts["attempts"][0]["bill"], job["bill"]);
}
