//! Bad input gets a problem document that names the field, and nothing is stored.

use reqwest::Method;
use serde_json::{Value, json};

use crate::daemon::Daemon;

async fn refused(daemon: &Daemon, body: Value, status: u16, code: &str) -> Value {
    let (found, problem) = daemon.post("/api/v1/jobs", &body).await;
    assert_eq!((found, &problem["code"]), (status, &json!(code)), "{body} -> {problem}");
    problem
}

#[tokio::test]
async fn a_job_that_is_not_well_formed_is_refused_and_not_stored() {
    let daemon = Daemon::start().await;
    daemon.deploy("hello", &std::fs::read(crate::daemon::guest("hello")).unwrap());
    daemon.until_at("/api/v1/tasks/hello", |task| !task["version"].is_null()).await;

    let problem = refused(&daemon, json!({ "task": "helo", "args": {} }), 404, "task_not_found").await;
    assert!(problem.to_string().contains("hello"), "{problem}");
    let problem = refused(&daemon, json!({ "task": "hello", "args": { "nam": "x" } }), 422, "args_invalid").await;
    let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| error["field"].to_string()).collect();
    assert!(fields.iter().any(|field| field.contains("args")), "{problem}");
    for (body, field) in [
        (json!({ "task": "hello", "args": [] }), "args"),
        (json!({ "task": "hello", "argz": {} }), "argz"),
        (json!({ "task": "a/b", "args": {} }), "task"),
        (json!({ "task": "a.b", "args": {} }), "task"),
        (json!({ "task": "hello", "args": {}, "priority": 1000 }), "priority"),
        (json!({ "task": "hello", "args": {}, "queue": "../x" }), "queue"),
        (json!({ "task": "hello", "args": {}, "max_attempts": 0 }), "max_attempts"),
        (json!({ "task": "hello", "args": {}, "delay_ms": 1, "run_at": "2030-01-01T00:00:00Z" }), "delay_ms"),
    ] {
        let (status, problem) = daemon.post("/api/v1/jobs", &body).await;
        assert_eq!(status, 422, "{body} -> {problem}");
        assert!(problem.to_string().contains(field), "{body} -> {problem}");
    }
    let (_, jobs) = daemon.get("/api/v1/jobs").await;
    assert_eq!(jobs["jobs"], json!([]));
}

#[tokio::test]
async fn a_body_that_is_too_large_or_no_json_is_refused() {
    let daemon = Daemon::start().await;
    let post = |body: String| {
        daemon.request(Method::POST, "/api/v1/jobs").header("content-type", "application/json").body(body).send()
    };
    let big = json!({ "task": "probe", "args": { "do": "ok", "value": "x".repeat(3 << 20) } }).to_string();
    let answer = post(big).await.unwrap();
    assert_eq!(answer.status(), 413);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    assert_eq!(post("{".to_owned()).await.unwrap().status(), 400);
    let text = daemon
        .request(Method::POST, "/api/v1/jobs")
        .header("content-type", "text/plain")
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(text.status(), 415);
}

#[tokio::test]
async fn a_batch_is_stored_as_a_whole_or_not_at_all() {
    let daemon = Daemon::start().await;
    let good = json!({ "task": "probe", "args": { "do": "ok", "value": 1 } });
    let bad = json!({ "task": "probe", "args": { "do": "dance" } });
    let (status, problem) = daemon.post("/api/v1/jobs/batch", &json!([good, bad])).await;
    assert_eq!(status, 422, "{problem}");
    assert_eq!(daemon.get("/api/v1/jobs").await.1["jobs"], json!([]));
    let (status, answer) = daemon.post("/api/v1/jobs/batch", &json!([good, good, good])).await;
    assert_eq!(status, 202, "{answer}");
    for id in answer["jobs"].as_array().unwrap() {
        let id = id.as_str().unwrap_or_else(|| id["id"].as_str().unwrap());
        assert_eq!(daemon.finished(id).await["state"], "completed");
    }
}

#[tokio::test]
async fn unknown_ids_and_paths_are_problem_documents() {
    let daemon = Daemon::start().await;
    for (path, status) in [
        ("/api/v1/jobs/not-an-id", 400),
        ("/api/v1/jobs/01890000-0000-7000-8000-000000000000", 404),
        ("/api/v1/jobs/01890000-0000-7000-8000-000000000000/logs", 404),
        ("/api/v1/tasks/nothing", 404),
        ("/api/v1/nothing", 404),
        ("/api/v1/jobs?colour=red", 400),
    ] {
        let (found, problem) = daemon.get(path).await;
        assert_eq!(found, status, "{path} -> {problem}");
        assert!(problem["code"].is_string(), "{path} -> {problem}");
    }
}
