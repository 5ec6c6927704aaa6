//! What must not be done twice.

use std::time::Duration;

use serde_json::{Value, json};

use crate::daemon::Daemon;

#[tokio::test]
async fn a_request_that_is_sent_again_after_a_crash_gets_the_same_answer() {
    let mut daemon = Daemon::start().await;
    let send = async |daemon: &Daemon| {
        let body = json!({ "task": "probe", "args": { "do": "ok", "value": 1 } });
        let request =
            daemon.request(reqwest::Method::POST, "/api/v1/jobs").header("idempotency-key", "order-7").json(&body);
        let response = request.send().await.unwrap();
        assert_eq!(response.status().as_u16(), 202);
        let is_replayed = response.headers().contains_key("idempotency-replayed");
        (is_replayed, response.json::<Value>().await.unwrap())
    };
    let (is_replayed, first) = send(&daemon).await;
    assert!(!is_replayed);
    daemon.finished(first["id"].as_str().unwrap()).await;
    daemon.kill();
    daemon.start_again();
    assert_eq!(send(&daemon).await, (true, first));
    assert_eq!(daemon.get("/api/v1/jobs").await.1["jobs"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_burst_of_the_same_unique_job_is_one_job() {
    let daemon = Daemon::start().await;
    let body = json!({ "task": "probe", "args": { "do": "ok", "value": 1 }, "unique": {}, "delay_ms": 60_000 });
    let posts = (0..40).map(|_| daemon.post("/api/v1/jobs", &body));
    let answers = futures_util::future::join_all(posts).await;
    assert!(answers.iter().all(|(status, job)| *status == 202 && job["id"] == answers[0].1["id"]));
    assert_eq!(answers.iter().filter(|(_, job)| job["deduplicated"] == false).count(), 1);
}

#[tokio::test]
async fn a_debounced_job_runs_once_with_the_last_arguments() {
    let daemon = Daemon::start().await;
    let mut id = String::new();
    for value in 1..=5 {
        let body = json!({
            "task": "probe", "args": { "do": "ok", "value": value }, "delay_ms": 500,
            "unique": { "key": "search-index", "mode": "replace" },
        });
        id = daemon.enqueue_job(body).await;
    }
    assert_eq!(daemon.finished(&id).await["output"], 5);
    assert_eq!(daemon.get("/api/v1/jobs").await.1["jobs"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_job_that_nobody_could_start_in_time_is_discarded_as_expired() {
    let daemon = Daemon::start_with(&["--slots", "1"]).await;
    let busy = daemon.enqueue(json!({ "do": "wait_file", "path": "/data/go" })).await;
    daemon.until(&busy, |job| job["state"] == "running").await;
    let body = json!({ "task": "probe", "args": { "do": "ok", "value": 1 }, "expires_in_ms": 50 });
    let job = daemon.finished(&daemon.enqueue_job(body).await).await;
    assert_eq!(
        (&job["state"], &job["error"]["kind"], &job["attempt"]),
        (&json!("discarded"), &json!("expired"), &json!(0))
    );
    std::fs::write(daemon.path().join("shared/go"), "").unwrap();
    assert_eq!(daemon.finished(&busy).await["state"], "completed");
}

#[tokio::test]
async fn a_job_waits_between_its_attempts_as_its_enqueue_says() {
    let daemon = Daemon::start().await;
    let delays = json!({ "delays_ms": [0, 300] });
    let body = json!({ "task": "probe", "args": { "do": "fail_until", "attempt": 3 }, "backoff": delays });
    let id = daemon.enqueue_job(body).await;
    daemon.finished(&id).await;
    let (_, attempts) = daemon.get(&format!("/api/v1/jobs/{id}/attempts")).await;
    let attempts = attempts["attempts"].as_array().unwrap();
    let time = |attempt: usize, field: &str| -> jiff::Timestamp {
        attempts[attempt][field].as_str().unwrap().parse().unwrap()
    };
    let pause = |attempt: usize| time(attempt + 1, "started_at").duration_since(time(attempt, "ended_at"));
    assert!(pause(1) >= Duration::from_millis(300).try_into().unwrap(), "{attempts:?}");
}
