//! Queues: how much is in them, and what is set about them.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::harness::{Answer, TestApi};

async fn patch(api: &TestApi, queue: &str, body: Value) -> Answer {
    let request =
        Request::patch(format!("/api/v1/queues/{queue}")).header("content-type", "application/merge-patch+json");
    api.call(request.body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn a_queue_shows_its_limits_and_how_much_is_in_it() {
    let api = TestApi::start().await;
    assert_eq!(api.get("queues").await.json(), json!({ "queues": [] }));
    api.enqueue_as(json!({ "task": "hello", "queue": "mail", "delay_ms": 3_600_000 })).await;
    let queue = api.get("queues/mail").await.json();
    insta::assert_json_snapshot!("queue", queue);
    assert_eq!(api.get("queues").await.json(), json!({ "queues": [queue] }));
    assert_eq!(api.get("stats").await.json()["jobs"]["scheduled"], 1);
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_null_takes_away() {
    let api = TestApi::start().await;
    let rate = json!({ "limit": 10, "period_ms": 1_000 });
    let keep = json!({ "completed": 0, "cancelled": 60_000 });
    let body = json!({ "max_running": 4, "max_running_per_key": 1, "rate": rate, "keep_ms": keep });
    let queue = patch(&api, "mail", body).await;
    assert_eq!(queue.status, 200, "{queue:?}");
    let queue = patch(&api, "mail", json!({ "max_running": null, "keep_ms": { "completed": null } })).await.json();
    assert_eq!((&queue["max_running"], &queue["max_running_per_key"]), (&json!(null), &json!(1)));
    assert_eq!(queue["rate"], rate);
    assert_eq!(queue["keep_ms"], json!({ "completed": null, "discarded": null, "cancelled": 60_000 }));
    let queue = patch(&api, "mail", json!({ "rate": null, "keep_ms": null })).await.json();
    assert_eq!((&queue["rate"], &queue["keep_ms"]["cancelled"]), (&json!(null), &json!(null)));
}

#[tokio::test]
async fn a_paused_queue_starts_nothing_and_goes_on_at_once_when_it_is_resumed() {
    let api = TestApi::start().await;
    let paused = patch(&api, "default", json!({ "paused": true })).await.json();
    assert!(paused["paused_at"].is_string(), "{paused}");
    let id = api.enqueue(json!({})).await;
    let other = api.enqueue_as(json!({ "task": "hello", "queue": "other" })).await;
    api.finished(&other).await;
    assert_eq!(api.get(format!("jobs/{id}")).await.json()["state"], "available");
    assert!(api.get("queues/default").await.json()["oldest_available_at"].is_string());
    assert_eq!(patch(&api, "default", json!({ "paused": false })).await.json()["paused_at"], json!(null));
    assert_eq!(api.finished(&id).await["state"], "completed");
}

#[tokio::test]
async fn every_fault_of_a_patch_is_named() {
    let api = TestApi::start().await;
    let body = json!({ "rate": { "limit": 0, "period_ms": 1 }, "keep_ms": { "completed": 315_619_200_001_u64 } });
    let problem = patch(&api, "mail", body).await.problem(422, "invalid_request");
    let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| &error["field"]).collect();
    assert_eq!(fields, ["rate", "keep_ms/completed"]);
    for (body, field) in [
        (json!({ "max_runing": 1 }), "max_runing"),
        (json!({ "max_running": 0 }), "max_running"),
        (json!({ "max_running": 1_000_001 }), "max_running"),
        (json!({ "rate": { "limit": 1 } }), "rate"),
        (json!({ "keep_ms": { "running": 1 } }), "keep_ms/running"),
    ] {
        let problem = patch(&api, "mail", body).await.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    assert_eq!(api.get("queues").await.json(), json!({ "queues": [] }), "nothing was made");
}

#[tokio::test]
async fn a_queue_that_is_not_there_is_not_found() {
    let api = TestApi::start().await;
    api.get("queues/mail").await.problem(404, "queue_not_found");
    api.get("queues/No%20Queue").await.problem(404, "queue_not_found");
    patch(&api, "No%20Queue", json!({})).await.problem(404, "queue_not_found");
}
