//! Cancel and retry.

use serde_json::json;

use crate::harness::TestApi;

#[tokio::test]
async fn a_job_that_has_not_started_is_cancelled_at_once() {
    let api = TestApi::start().await;
    let id = api.enqueue_as(json!({ "task": "hello", "delay_ms": 3_600_000 })).await;
    let answer = api.post(format!("jobs/{id}/cancel"), &json!(null)).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["state"]), (200, &json!("cancelled")));
    let job = api.finished(&id).await;
    assert_eq!((&job["duration_ms"], &job["started_at"]), (&json!(null), &json!(null)));
}

#[tokio::test]
async fn a_running_job_is_told_and_then_cancelled() {
    let api = TestApi::start().await;
    let id = api.enqueue(json!({ "steps": 1, "wait": true })).await;
    api.reaches(&id, "running").await;
    let answer = api.post(format!("jobs/{id}/cancel"), &json!(null)).await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let job = api.finished(&id).await;
    assert_eq!((&job["state"], &job["task_step"]), (&json!("cancelled"), &json!(1)), "what it reported stays");
}

#[tokio::test]
async fn a_job_that_is_over_cannot_be_cancelled() {
    let api = TestApi::start().await;
    let id = api.enqueue(json!({})).await;
    api.finished(&id).await;
    let problem = api.post(format!("jobs/{id}/cancel"), &json!(null)).await.problem(409, "job_finished");
    assert_eq!(problem["detail"], format!("The job {id} is over: it is completed."));
}

#[tokio::test]
async fn a_running_job_cannot_be_retried_and_one_that_is_over_can() {
    let api = TestApi::start().await;
    let id = api
        .enqueue_as(json!({ "task": "hello", "args": { "wait": true, "fatal_once": "no" }, "max_attempts": 1 }))
        .await;
    api.reaches(&id, "running").await;
    api.post(format!("jobs/{id}/retry"), &json!(null)).await.problem(409, "job_running");
    api.runner.open_gate();
    assert_eq!(api.finished(&id).await["state"], "discarded");
    let answer = api.post(format!("jobs/{id}/retry"), &json!(null)).await;
    let job = answer.json();
    assert_eq!((answer.status.as_u16(), &job["state"], &job["error"]), (202, &json!("available"), &json!(null)));
    assert_eq!((&job["max_attempts"], &job["artifacts"]), (&json!(2), &json!([])));
    api.runner.open_gate();
    assert_eq!(api.finished(&id).await["state"], "completed");
}
