//! Cancels and retries of all jobs that match a filter.

use serde_json::{Value, json};

use crate::harness::TestApi;

/// Asks for an operation and waits until it is over.
async fn done(api: &TestApi, path: &str, body: Value) -> Value {
    let answer = api.post(path, &body).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let location = answer.header("location").to_owned();
    assert_eq!(location, format!("/api/v1/operations/{}", answer.json()["id"].as_str().unwrap()));
    for _ in 0..6_000 {
        let operation = api.get(&location).await.json();
        if operation["finished_at"].is_string() {
            return operation;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    panic!("the operation is never over");
}

#[tokio::test]
async fn all_jobs_that_match_are_cancelled_and_no_other() {
    let api = TestApi::start().await;
    let waiting = |tag: &str| json!({ "task": "hello", "delay_ms": 3_600_000, "tags": [tag] });
    let (first, second) = (api.enqueue_as(waiting("a")).await, api.enqueue_as(waiting("b")).await);
    let running = api.enqueue_as(json!({ "task": "hello", "args": { "wait": true }, "tags": ["a"] })).await;
    api.reaches(&running, "running").await;
    let operation = done(&api, "jobs/cancel", json!({ "tag": "a" })).await;
    assert_eq!(
        (&operation["kind"], &operation["seen"], &operation["changed"]),
        (&json!("cancel"), &json!(2), &json!(2))
    );
    assert_eq!((&operation["filter"]["tag"], &operation["filter"]["state"]), (&json!("a"), &json!([])));
    for id in [&first, &running] {
        assert_eq!(api.finished(id).await["state"], "cancelled");
    }
    assert_eq!(api.get(format!("jobs/{second}")).await.json()["state"], "scheduled");
}

#[tokio::test]
async fn all_jobs_that_match_are_retried() {
    let api = TestApi::start().await;
    let waiting = json!({ "task": "hello", "delay_ms": 3_600_000 });
    let (first, second) = (api.enqueue_as(waiting.clone()).await, api.enqueue_as(waiting).await);
    done(&api, "jobs/cancel", json!({ "all": true })).await;
    let operation = done(&api, "jobs/retry", json!({ "state": ["cancelled"], "task": "hello" })).await;
    assert_eq!(operation["changed"], 2, "{operation}");
    for id in [&first, &second] {
        assert_eq!(api.finished(id).await["state"], "completed");
    }
}

#[tokio::test]
async fn a_filter_that_narrows_nothing_must_say_that_all_jobs_are_meant() {
    let api = TestApi::start().await;
    for (body, field) in [
        (json!({}), "all"),
        (json!({ "state": [], "all": false }), "all"),
        (json!({ "tag": "a", "all": true }), "all"),
        (json!({ "stat": ["running"] }), "stat"),
        (json!({ "state": ["done"] }), "state/0"),
        (json!({ "limit": 1 }), "limit"),
    ] {
        let problem = api.post("jobs/cancel", &body).await.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        api.post("jobs/retry", &body).await.problem(422, "invalid_request");
    }
}

#[tokio::test]
async fn an_operation_that_is_not_there_is_not_found() {
    let api = TestApi::start().await;
    api.get("operations/0197c2a4-5b1e-7c3d-9f00-3a5d8e6b7c21").await.problem(404, "operation_not_found");
    api.get("operations/7").await.problem(400, "malformed_id");
}
