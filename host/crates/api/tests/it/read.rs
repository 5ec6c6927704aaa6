//! `GET /jobs/{id}`, its attempts and its log.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use windlass_api::ApiSettings;
use windlass_store::JobInbox as _;

use crate::harness::TestApi;

const NOBODY: &str = "0197c2a4-5b1e-7c3d-9f00-3a5d8e6b7c21";

#[tokio::test]
async fn a_wait_is_answered_when_the_job_is_over_and_not_at_the_next_poll() {
    let api = TestApi::start_with(ApiSettings { poll_every: Duration::from_secs(600), ..ApiSettings::default() }).await;
    let id = api.enqueue(json!({ "wait": true })).await;
    api.reaches(&id, "running").await;
    let started = Instant::now();
    let waiting = api.get(format!("jobs/{id}?wait=20s"));
    let (job, ()) = tokio::join!(waiting, async { api.runner.open_gate() });
    assert_eq!(job.json()["state"], "completed");
    // Nor when the time is over, which would show the same job.
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn a_wait_that_is_over_is_answered_with_the_job_as_it_is() {
    let api = TestApi::start().await;
    let id = api.enqueue(json!({ "wait": true })).await;
    api.reaches(&id, "running").await;
    let started = Instant::now();
    let answer = api.get(format!("jobs/{id}?wait=200ms")).await;
    assert!(started.elapsed() >= Duration::from_millis(200));
    assert_eq!((answer.status.as_u16(), &answer.json()["state"]), (200, &json!("running")));
    assert_eq!(api.get(format!("jobs/{id}?wait=0s")).await.json()["state"], "running");
}

#[tokio::test]
async fn a_wait_sees_what_another_host_did() {
    let api =
        TestApi::start_with(ApiSettings { poll_every: Duration::from_millis(50), ..ApiSettings::default() }).await;
    let id = api.enqueue_as(json!({ "task": "hello", "delay_ms": 3_600_000 })).await;
    let waiting = api.get(format!("jobs/{id}?wait=20s"));
    // Past the engine: its bus does not hear of this.
    let elsewhere = async { api.store.job_cancel(id.parse().unwrap(), None).await.unwrap() };
    let (answer, _) = tokio::join!(waiting, elsewhere);
    assert_eq!(answer.json()["state"], "cancelled");
}

#[tokio::test]
async fn a_wait_ends_when_the_daemon_begins_to_stop() {
    let api = TestApi::start().await;
    let id = api.enqueue_as(json!({ "task": "hello", "delay_ms": 3_600_000 })).await;
    let waiting = api.get(format!("jobs/{id}?wait=300s"));
    let (answer, ()) = tokio::join!(waiting, async { api.engine.begin_shutdown() });
    assert_eq!((answer.status.as_u16(), &answer.json()["state"]), (200, &json!("scheduled")));
}

#[tokio::test]
async fn a_wait_must_be_a_length_of_time_of_at_most_five_minutes() {
    let api = TestApi::start().await;
    let id = api.enqueue(json!({})).await;
    for (wait, message) in [
        ("301s", "is at most 300 s"),
        ("30", "`30` is not a length of time: write it as 500ms, 30s or 2m"),
        ("", "`` is not a length of time: write it as 500ms, 30s or 2m"),
    ] {
        let problem = api.get(format!("jobs/{id}?wait={wait}")).await.problem(400, "invalid_query");
        assert_eq!(problem["errors"], json!([{ "field": "wait", "message": message }]));
    }
    let problem = api.get(format!("jobs/{id}?wiat=1s")).await.problem(400, "invalid_query");
    assert_eq!(problem["errors"][0]["field"], "wiat");
}

#[tokio::test]
async fn a_job_that_is_not_there_is_a_404_and_a_malformed_id_a_400() {
    let api = TestApi::start().await;
    for rest in ["", "?wait=1s", "/events", "/logs", "/attempts", "/artifacts", "/artifacts/a.csv"] {
        api.get(format!("jobs/{NOBODY}{rest}")).await.problem(404, "job_not_found");
        for id in ["7", "not-an-id", "..%2f..%2fetc", &NOBODY.replace('-', "")] {
            api.get(format!("jobs/{id}{rest}")).await.problem(400, "malformed_id");
        }
    }
    for command in ["cancel", "retry"] {
        api.post(format!("jobs/{NOBODY}/{command}"), &json!(null)).await.problem(404, "job_not_found");
        api.post(format!("jobs/7/{command}"), &json!(null)).await.problem(400, "malformed_id");
    }
    api.get("jobs/%ff").await.problem(400, "malformed_path");
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let api = TestApi::start().await;
    let id = api.enqueue(json!({})).await;
    let answer = api.call(Request::head(format!("/api/v1/jobs/{id}")).body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
}

#[tokio::test]
async fn attempts_are_listed_with_their_errors() {
    let api = TestApi::start().await;
    let id = api.enqueue(json!({ "fatal_once": "no such column" })).await;
    let job = api.finished(&id).await;
    assert_eq!(job["error"], json!({ "kind": "fatal", "message": "no such column" }));
    assert_eq!(api.post(format!("jobs/{id}/retry"), &json!(null)).await.status, 202);
    assert_eq!(api.finished(&id).await["state"], "completed");
    let attempts = api.get(format!("jobs/{id}/attempts")).await.json()["attempts"].as_array().unwrap().clone();
    assert_eq!(attempts.len(), 2);
    assert_eq!(attempts[0]["error"], json!({ "kind": "fatal", "message": "no such column" }));
    assert_eq!(
        (&attempts[1]["attempt"], &attempts[1]["lease"], &attempts[1]["error"]),
        (&json!(2), &json!(2), &json!(null))
    );
    assert!(attempts[1]["duration_ms"].is_u64() && attempts[1]["worker_id"].is_string(), "{attempts:?}");
}

#[tokio::test]
async fn a_log_is_read_page_by_page_to_its_end() {
    let api = TestApi::start().await;
    let id = api.enqueue(json!({ "lines": 25 })).await;
    api.finished(&id).await;
    let (mut after, mut texts) = (json!(0), Vec::new());
    while !after.is_null() {
        let page = api.get(format!("jobs/{id}/logs?limit=10&after={after}")).await.json();
        for line in page["lines"].as_array().unwrap() {
            assert_eq!((&line["stream"], &line["attempt"]), (&json!("stdout"), &json!(1)));
            texts.push(line["text"].as_str().unwrap().to_owned());
        }
        after = page["next"].clone();
    }
    let expected: Vec<_> = (1..=25).map(|n| format!("line {n}")).collect();
    assert_eq!(texts, expected);
    for query in ["limit=0", "limit=10001", "limit=x", "after=-1", "before=1"] {
        api.get(format!("jobs/{id}/logs?{query}")).await.problem(400, "invalid_query");
    }
}
