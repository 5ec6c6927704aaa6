//! Plugins come, change and go while the daemon runs.

use std::fs;

use serde_json::{Value, json};

use crate::daemon::{Daemon, guest};

async fn digest(daemon: &Daemon, task: &str) -> Value {
    daemon.get(&format!("/api/v1/tasks/{task}")).await.1["version"]["digest"].clone()
}

#[tokio::test]
async fn a_new_plugin_is_noticed_and_a_removed_one_is_gone() {
    let daemon = Daemon::start().await;
    assert_eq!(daemon.get("/api/v1/tasks/hello").await.0, 404);
    daemon.deploy("hello", &fs::read(guest("hello")).unwrap());
    daemon.until_at("/api/v1/tasks/hello", |task| !task["version"].is_null()).await;
    let id = daemon.enqueue_job(json!({ "task": "hello", "args": { "name": "Ada" } })).await;
    assert_eq!(daemon.finished(&id).await["output"], json!({ "greeting": "Hello, Ada!" }));
    fs::remove_file(daemon.path().join("plugins/hello.wasm")).unwrap();
    daemon.until_at("/api/v1/tasks/hello", |task| task["code"] == "task_not_found").await;
}

#[tokio::test]
async fn a_hot_swap_does_not_disturb_a_running_job() {
    let daemon = Daemon::start().await;
    let before = digest(&daemon, "probe").await;
    let id = daemon.enqueue(json!({ "do": "wait_file", "path": "/data/go" })).await;
    daemon.until(&id, |job| job["task_step"] == 1).await;
    daemon.deploy("probe", &fs::read(guest("no-describe")).unwrap());
    daemon.until_at("/api/v1/tasks/probe", |task| task["version"]["digest"] != before).await;
    let echoed = daemon.run(json!({ "any": "thing" })).await;
    assert_eq!(echoed["output"], json!({ "any": "thing" }));
    assert_eq!(daemon.job(&id).await["state"], "running");
    fs::write(daemon.path().join("shared/go"), "").unwrap();
    let job = daemon.finished(&id).await;
    assert_eq!((&job["state"], &job["plugin_digest"]), (&json!("completed"), &before), "{job}");
    assert_ne!(echoed["plugin_digest"], before);
}

#[tokio::test]
async fn a_broken_component_leaves_the_old_one_in_service_and_says_why() {
    let mut daemon = Daemon::start().await;
    daemon.expect_errors();
    let before = digest(&daemon, "probe").await;
    let whole = fs::read(guest("probe")).unwrap();
    let described = fs::read(guest("bad-describe")).unwrap();
    for broken in [&b"not a component at all"[..], &whole[..whole.len() / 2], &b"\0asm\x01\0\0\0"[..], &described[..]] {
        daemon.deploy("probe", broken);
        let task = daemon.until_at("/api/v1/tasks/probe", |task| !task["load_error"].is_null()).await;
        assert_eq!(task["version"]["digest"], before);
        assert!(!task["load_error"]["message"].as_str().unwrap().is_empty());
        assert_eq!(daemon.run(json!({ "do": "ok", "value": 1 })).await["plugin_digest"], before);
        daemon.deploy("probe", &whole);
        daemon.until_at("/api/v1/tasks/probe", |task| task["load_error"].is_null()).await;
    }
}

#[tokio::test]
async fn a_job_of_a_plugin_that_went_away_waits_until_it_is_back() {
    let daemon = Daemon::start().await;
    let bytes = fs::read(guest("hello")).unwrap();
    daemon.deploy("hello", &bytes);
    daemon.until_at("/api/v1/tasks/hello", |task| !task["version"].is_null()).await;
    let body = json!({ "task": "hello", "delay_ms": 500, "args": { "name": "Ada" } });
    let id = daemon.enqueue_job(body).await;
    fs::remove_file(daemon.path().join("plugins/hello.wasm")).unwrap();
    daemon.until_at("/api/v1/tasks/hello", |task| task["code"] == "task_not_found").await;
    daemon.until(&id, |job| job["state"] == "available").await;
    daemon.deploy("hello", &bytes);
    assert_eq!(daemon.finished(&id).await["state"], "completed");
}
