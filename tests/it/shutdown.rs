//! A daemon that is asked to stop.

use serde_json::json;

use crate::daemon::Daemon;

#[tokio::test]
async fn a_daemon_that_is_asked_to_stop_as_soon_as_it_is_ready_stops_in_good_order() {
    let mut daemon = Daemon::start().await;
    for _ in 0..5 {
        assert!(daemon.stop());
        daemon.start_again();
    }
}

#[tokio::test]
async fn running_jobs_may_end_within_the_grace_period() {
    let mut daemon = Daemon::start().await;
    let id = daemon.enqueue(json!({ "do": "steps", "steps": 3, "pause_ms": 150 })).await;
    daemon.until(&id, |job| job["state"] == "running").await;
    assert!(daemon.stop());
    daemon.start_again();
    let job = daemon.job(&id).await;
    assert_eq!((&job["state"], &job["attempt"]), (&json!("completed"), &json!(1)), "{job}");
}

#[tokio::test]
async fn jobs_that_do_not_end_in_time_are_handed_back_and_lose_no_attempt() {
    let mut daemon = Daemon::start_with(&["--shutdown-grace-ms", "100"]).await;
    let id = daemon.enqueue(json!({ "do": "wait_file", "path": "/data/go" })).await;
    daemon.until(&id, |job| job["task_step"] == 1).await;
    assert!(daemon.stop());
    std::fs::write(daemon.path().join("shared/go"), "").unwrap();
    daemon.start_again();
    let job = daemon.finished(&id).await;
    assert_eq!((&job["state"], &job["attempt"]), (&json!("completed"), &json!(1)), "{job}");
    let (_, attempts) = daemon.get(&format!("/api/v1/jobs/{id}/attempts")).await;
    assert_eq!(attempts["attempts"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_open_event_stream_does_not_hold_up_the_stop() {
    let mut daemon = Daemon::start_with(&["--shutdown-grace-ms", "100"]).await;
    let id = daemon.enqueue(json!({ "do": "ignore_cancel" })).await;
    let stream = daemon.request(reqwest::Method::GET, &format!("/api/v1/jobs/{id}/events")).send().await.unwrap();
    assert!(daemon.stop());
    // It ends; how it ends is the client's business.
    let _ = stream.bytes().await;
}
