//! Retry, delay, priority.

use serde_json::{Value, json};

use crate::daemon::Daemon;

#[tokio::test]
async fn a_retryable_error_is_tried_again_until_it_passes() {
    let daemon = Daemon::start().await;
    let job = daemon.run(json!({ "do": "fail_until", "attempt": 3 })).await;
    assert_eq!((&job["state"], &job["attempt"]), (&json!("completed"), &json!(3)), "{job}");
    assert_eq!(job["error"], Value::Null);
    let (_, attempts) = daemon.get(&format!("/api/v1/jobs/{}/attempts", job["id"].as_str().unwrap())).await;
    let kinds: Vec<_> =
        attempts["attempts"].as_array().unwrap().iter().map(|attempt| attempt["error"]["kind"].clone()).collect();
    assert_eq!(kinds, [json!("retryable"), json!("retryable"), Value::Null]);
}

#[tokio::test]
async fn a_job_whose_attempts_are_spent_is_discarded_with_its_last_error() {
    let daemon = Daemon::start().await;
    let body = json!({ "task": "probe", "max_attempts": 2, "args": { "do": "retryable", "message": "still closed" } });
    let job = daemon.finished(&daemon.enqueue_job(body).await).await;
    assert_eq!((&job["state"], &job["attempt"]), (&json!("discarded"), &json!(2)));
    assert_eq!(job["error"], json!({ "kind": "retryable", "message": "still closed" }));
}

#[tokio::test]
async fn a_retry_by_hand_grants_one_more_attempt() {
    let daemon = Daemon::start().await;
    let body = json!({ "task": "probe", "max_attempts": 1, "args": { "do": "fail_until", "attempt": 2 } });
    let id = daemon.enqueue_job(body).await;
    assert_eq!(daemon.finished(&id).await["state"], "discarded");
    let (status, job) = daemon.post(&format!("/api/v1/jobs/{id}/retry"), &json!({})).await;
    assert_eq!(status, 202, "{job}");
    let job = daemon.finished(&id).await;
    assert_eq!((&job["state"], &job["attempt"], &job["max_attempts"]), (&json!("completed"), &json!(2), &json!(2)));
}

#[tokio::test]
async fn a_checkpoint_of_the_first_attempt_is_there_for_the_second() {
    let daemon = Daemon::start().await;
    let job = daemon.run(json!({ "do": "checkpoint", "value": { "row": 120 } })).await;
    assert_eq!((&job["output"], &job["attempt"]), (&json!({ "row": 120 }), &json!(2)), "{job}");
}

#[tokio::test]
async fn a_delayed_job_waits_for_its_time() {
    let daemon = Daemon::start().await;
    let (_, job) = daemon
        .post("/api/v1/jobs", &json!({ "task": "probe", "delay_ms": 300, "args": { "do": "ok", "value": 1 } }))
        .await;
    assert_eq!(job["state"], "scheduled");
    let job = daemon.finished(job["id"].as_str().unwrap()).await;
    assert_eq!(job["state"], "completed");
    assert!(job["started_at"].as_str() >= job["run_at"].as_str(), "{job}");
}

#[tokio::test]
async fn among_waiting_jobs_the_smaller_priority_runs_first() {
    let daemon = Daemon::start_with(&["--slots", "1"]).await;
    let first = daemon.enqueue(json!({ "do": "wait_file", "path": "/data/go" })).await;
    daemon.until(&first, |job| job["state"] == "running").await;
    let mut ids = Vec::new();
    for priority in [5, -5, 0] {
        let args = json!({ "do": "append", "path": "/data/order", "line": priority.to_string() });
        ids.push(daemon.enqueue_job(json!({ "task": "probe", "priority": priority, "args": args })).await);
    }
    std::fs::write(daemon.path().join("shared/go"), "").unwrap();
    for id in &ids {
        daemon.finished(id).await;
    }
    let order = std::fs::read_to_string(daemon.path().join("shared/order")).unwrap();
    assert_eq!(order.lines().collect::<Vec<_>>(), ["-5", "0", "5"]);
}
