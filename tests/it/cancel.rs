//! Cancel: told, then grace, then interrupted.

use serde_json::{Value, json};

use crate::daemon::Daemon;

#[tokio::test]
async fn a_job_that_has_not_started_never_starts() {
    let daemon = Daemon::start().await;
    let args = json!({ "do": "append", "path": "/data/runs", "line": "ran" });
    let id = daemon.enqueue_job(json!({ "task": "probe", "delay_ms": 3_600_000, "args": args })).await;
    let (status, job) = daemon.post(&format!("/api/v1/jobs/{id}/cancel"), &json!({})).await;
    assert_eq!((status, &job["state"]), (200, &json!("cancelled")), "{job}");
    assert!(!daemon.path().join("shared/runs").exists());
}

#[tokio::test]
async fn a_running_handler_is_told_and_what_it_reported_stays() {
    let daemon = Daemon::start().await;
    let id = daemon.enqueue(json!({ "do": "wait_cancel" })).await;
    daemon.until(&id, |job| job["task_step"] == 1).await;
    let (status, _) = daemon.post(&format!("/api/v1/jobs/{id}/cancel"), &json!({})).await;
    assert!((200..300).contains(&status));
    let job = daemon.finished(&id).await;
    assert_eq!((&job["state"], &job["error"]["kind"]), (&json!("cancelled"), &json!("cancelled")));
    assert_eq!((&job["task_step"], &job["status_info"]), (&json!(1), &json!("Waiting for a cancel")));
}

#[tokio::test]
async fn a_handler_that_does_not_listen_is_interrupted_after_the_grace_period() {
    let daemon = Daemon::start_with(&["--cancel-grace-ms", "100"]).await;
    for what in ["ignore_cancel", "spin"] {
        let id = daemon.enqueue(json!({ "do": what })).await;
        daemon.until(&id, |job| job["state"] == "running").await;
        daemon.post(&format!("/api/v1/jobs/{id}/cancel"), &json!({})).await;
        assert_eq!(daemon.finished(&id).await["state"], "cancelled", "{what}");
    }
}

#[tokio::test]
async fn a_job_that_is_over_cannot_be_cancelled() {
    let daemon = Daemon::start().await;
    let job = daemon.run(json!({ "do": "ok", "value": 1 })).await;
    let id = job["id"].as_str().unwrap();
    let (status, problem) = daemon.post(&format!("/api/v1/jobs/{id}/cancel"), &Value::Null).await;
    assert_eq!((status, &problem["code"]), (409, &json!("job_finished")), "{problem}");
    assert_eq!(daemon.job(id).await["state"], "completed");
}
