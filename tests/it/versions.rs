//! Versions of tasks: uploads, rollbacks, pins, deletes, on one daemon and on two.

use std::fs;

use reqwest::Method;
use serde_json::{Value, json};
use windlass_test_cluster::Database;

use crate::daemon::{Daemon, binary, guest};

/// A component that does what another does and has another digest: with one more custom section.
fn variant(name: &str, number: u8) -> Vec<u8> {
    let mut component = fs::read(guest(name)).unwrap();
    component.extend([0, 3, 1, b'x', number]);
    component
}

async fn send(daemon: &Daemon, task: &str, component: Vec<u8>) -> (u16, Value) {
    let request = daemon.request(Method::PUT, &format!("/api/v1/tasks/{task}"));
    let response = request.header("content-type", "application/wasm").body(component).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

/// Sends a component that goes into service, and returns its digest.
async fn upload(daemon: &Daemon, task: &str, component: Vec<u8>) -> String {
    let (status, answer) = send(daemon, task, component).await;
    assert!(matches!(status, 200 | 201), "{status} {answer}");
    assert_eq!((&answer["in_service"], &answer["task"]["load_error"]), (&json!(true), &Value::Null), "{answer}");
    assert_eq!(answer["task"]["version"]["digest"], answer["digest"], "it is served when the answer comes");
    answer["digest"].as_str().unwrap().to_owned()
}

async fn served(daemon: &Daemon, task: &str) -> Value {
    daemon.get(&format!("/api/v1/tasks/{task}")).await.1["version"]["digest"].clone()
}

async fn until_served(daemon: &Daemon, task: &str, digest: &str) -> Value {
    daemon.until_at(&format!("/api/v1/tasks/{task}"), |task| task["version"]["digest"] == digest).await
}

async fn run(daemon: &Daemon, task: &str, args: Value) -> Value {
    let id = daemon.enqueue_job(json!({ "task": task, "max_attempts": 1, "args": args })).await;
    daemon.finished(&id).await
}

async fn versions(daemon: &Daemon, task: &str) -> Value {
    daemon.get(&format!("/api/v1/tasks/{task}/versions")).await.1
}

async fn delete(daemon: &Daemon, task: &str) -> u16 {
    daemon.request(Method::DELETE, &format!("/api/v1/tasks/{task}")).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn a_component_that_is_sent_runs_and_outlives_a_restart_without_a_file() {
    let mut daemon = Daemon::start().await;
    let digest = upload(&daemon, "echo", variant("no-describe", 1)).await;
    assert_eq!(run(&daemon, "echo", json!({ "n": 1 })).await["plugin_digest"], digest);
    let (status, again) = send(&daemon, "echo", variant("no-describe", 1)).await;
    assert_eq!((status, &again["digest"]), (200, &json!(digest)));
    assert_eq!(versions(&daemon, "echo").await["changes"].as_array().unwrap().len(), 1);
    assert!(daemon.stop());
    daemon.start_again();
    assert_eq!(served(&daemon, "echo").await, digest);
    assert_eq!(run(&daemon, "echo", json!({ "n": 2 })).await["output"], json!({ "n": 2 }));
    assert!(!daemon.path().join("plugins/echo.wasm").exists());
}

#[tokio::test]
async fn a_component_that_cannot_be_served_is_refused_with_the_reason_and_the_one_before_stays() {
    let daemon = Daemon::start().await;
    let before = served(&daemon, "probe").await;
    let whole = fs::read(guest("probe")).unwrap();
    for (broken, reason) in [
        (b"hello".to_vec(), "the file is not WebAssembly"),
        (whole[..whole.len() / 2].to_vec(), "the component is broken"),
        (b"\0asm\x01\0\0\0".to_vec(), "the file is a core module"),
        (fs::read(guest("bad-describe")).unwrap(), "`describe` did not return"),
    ] {
        let (status, problem) = send(&daemon, "probe", broken).await;
        assert_eq!((status, &problem["code"]), (422, &json!("invalid_component")), "{problem}");
        assert!(problem["detail"].as_str().unwrap().starts_with(reason), "{problem}");
    }
    assert_eq!(served(&daemon, "probe").await, before);
    assert_eq!(versions(&daemon, "probe").await["versions"].as_array().unwrap().len(), 1);
    assert_eq!(send(&daemon, "fresh", b"hello".to_vec()).await.0, 422);
    assert_eq!(daemon.get("/api/v1/tasks/fresh/versions").await.0, 404);
}

#[tokio::test]
async fn a_file_and_an_upload_are_two_ways_into_one_shelf() {
    let mut daemon = Daemon::start().await;
    let file = served(&daemon, "probe").await;
    let sent = upload(&daemon, "probe", variant("probe", 1)).await;
    // The file is known, so a start does not bring it back.
    assert!(daemon.stop());
    daemon.start_again();
    assert_eq!(served(&daemon, "probe").await, sent);
    // A file that changes is wanted: to something new, and to something that is known.
    daemon.deploy("probe", &variant("probe", 2));
    daemon.until_at("/api/v1/tasks/probe", |task| task["version"]["digest"] != sent).await;
    daemon.deploy("probe", &fs::read(guest("probe")).unwrap());
    until_served(&daemon, "probe", file.as_str().unwrap()).await;
    let (status, rolled) = daemon.post("/api/v1/tasks/probe/rollback", &json!({ "digest": sent })).await;
    assert_eq!((status, &rolled["in_service"]), (200, &json!(sent)), "{rolled}");
    assert_eq!(served(&daemon, "probe").await, sent);
    let reasons: Vec<_> = rolled["changes"].as_array().unwrap().iter().map(|change| &change["reason"]).collect();
    assert_eq!(reasons, ["rollback", "directory", "directory", "upload", "directory"]);
}

#[tokio::test]
async fn a_running_job_ends_on_the_version_that_it_started_with() {
    let daemon = Daemon::start().await;
    let before = served(&daemon, "probe").await;
    let id = daemon.enqueue(json!({ "do": "wait_file", "path": "/data/go" })).await;
    daemon.until(&id, |job| job["task_step"] == 1).await;
    upload(&daemon, "probe", variant("probe", 1)).await;
    assert_eq!(delete(&daemon, "probe").await, 204);
    fs::write(daemon.path().join("shared/go"), "").unwrap();
    let job = daemon.finished(&id).await;
    assert_eq!((&job["state"], &job["plugin_digest"]), (&json!("completed"), &before), "{job}");
}

#[tokio::test]
async fn a_pinned_task_keeps_new_files_and_says_so() {
    let daemon = Daemon::start().await;
    let before = served(&daemon, "probe").await;
    assert_eq!(daemon.post("/api/v1/tasks/probe/pin", &json!({})).await.1["pinned"], true);
    daemon.deploy("probe", &variant("probe", 1));
    let task = daemon.until_at("/api/v1/tasks/probe", |task| !task["load_error"].is_null()).await;
    assert_eq!((&task["version"]["digest"], &task["pinned"]), (&before, &json!(true)));
    assert!(task["load_error"]["message"].as_str().unwrap().contains("the task is pinned"), "{task}");
    let kept = task["load_error"]["digest"].as_str().unwrap().to_owned();
    assert_eq!(daemon.post("/api/v1/tasks/probe/unpin", &json!({})).await.0, 200);
    assert_eq!(daemon.post("/api/v1/tasks/probe/rollback", &json!({ "digest": kept })).await.0, 200);
    let task = until_served(&daemon, "probe", &kept).await;
    assert_eq!(task["load_error"], Value::Null, "{task}");
}

#[tokio::test]
async fn jobs_of_a_deleted_task_wait_and_its_file_does_not_bring_it_back_by_itself() {
    let mut daemon = Daemon::start().await;
    let id =
        daemon.enqueue_job(json!({ "task": "probe", "delay_ms": 1_000, "args": { "do": "ok", "value": 1 } })).await;
    assert_eq!(delete(&daemon, "probe").await, 204);
    assert_eq!(delete(&daemon, "probe").await, 404);
    daemon.until(&id, |job| job["state"] == "available").await;
    assert!(daemon.stop());
    daemon.start_again();
    let task = daemon.get("/api/v1/tasks/probe").await.1;
    assert_eq!(task["version"], Value::Null, "{task}");
    assert!(task["load_error"]["message"].as_str().unwrap().starts_with("the task was deleted"), "{task}");
    assert_eq!(daemon.job(&id).await["state"], "available");
    daemon.deploy("probe", &variant("probe", 1));
    assert_eq!(daemon.finished(&id).await["output"], 1);
}

#[tokio::test]
async fn a_version_that_only_traps_is_rolled_back_by_itself() {
    let daemon = Daemon::start().await;
    fs::write(daemon.path().join("plugins/shaky.toml"), "auto_rollback = 2\nenqueue = []").unwrap();
    let good = upload(&daemon, "shaky", variant("no-describe", 1)).await;
    let bad = upload(&daemon, "shaky", variant("probe", 1)).await;
    let panic = || json!({ "do": "panic", "message": "broken" });
    assert_eq!(run(&daemon, "shaky", panic()).await["error"]["kind"], "trap");
    assert_eq!(served(&daemon, "shaky").await, bad, "one is not enough");
    assert_eq!(run(&daemon, "shaky", panic()).await["plugin_digest"], bad);
    until_served(&daemon, "shaky", &good).await;
    assert_eq!(run(&daemon, "shaky", panic()).await["output"], panic());
    let change = &versions(&daemon, "shaky").await["changes"][0];
    assert_eq!((&change["reason"], &change["from"]), (&json!("auto_rollback"), &json!(bad)), "{change}");
    assert_eq!(change["message"], "its first 2 attempts trapped");
    assert!(daemon.log().contains("was rolled back to"), "{}", daemon.log());
    // One that has done a job is not.
    let sound = upload(&daemon, "shaky", variant("probe", 2)).await;
    assert_eq!(run(&daemon, "shaky", json!({ "do": "ok", "value": 1 })).await["output"], 1);
    for _ in 0..3 {
        assert_eq!(run(&daemon, "shaky", panic()).await["error"]["kind"], "trap");
    }
    assert_eq!(served(&daemon, "shaky").await, sound);
}

#[tokio::test]
async fn every_daemon_of_a_database_serves_what_was_sent_to_one_and_says_so() {
    let database = Database::create().await.unwrap();
    let (mut here, there) = (Daemon::start_on(&database, &[]).await, Daemon::start_on(&database, &[]).await);
    let first = upload(&here, "echo", variant("no-describe", 1)).await;
    until_served(&there, "echo", &first).await;
    let second = upload(&there, "echo", variant("no-describe", 2)).await;
    until_served(&here, "echo", &second).await;
    let says = |digest: String| {
        move |task: &Value| {
            let workers = task["workers"].as_array().unwrap();
            workers.len() == 2 && workers.iter().all(|worker| worker["digest"] == digest)
        }
    };
    there.until_at("/api/v1/tasks/echo", says(second.clone())).await;
    assert_eq!(here.post("/api/v1/tasks/echo/rollback", &json!({})).await.1["in_service"], first);
    there.until_at("/api/v1/tasks/echo", says(first.clone())).await;
    // Grants are each host's own: where they are broken the version before stays, and the others see why.
    fs::write(here.path().join("plugins/echo.toml"), "colour = 1").unwrap();
    let task = there.until_at("/api/v1/tasks/echo", |task| task["workers"].to_string().contains("colour")).await;
    assert!(task["load_error"].is_null() && task["version"]["digest"] == first, "{task}");
    // A file that is taken away from one host takes the task from there alone.
    fs::remove_file(here.path().join("plugins/probe.wasm")).unwrap();
    here.until_at("/api/v1/tasks/probe", |task| task["code"] == "task_not_found").await;
    assert_eq!(there.get("/api/v1/tasks/probe").await.0, 200);
    assert_eq!(delete(&there, "echo").await, 204);
    here.until_at("/api/v1/tasks/echo", |task| task["code"] == "task_not_found").await;
    here.expect_errors();
}

#[tokio::test]
async fn the_command_line_uploads_lists_rolls_back_pins_and_deletes() {
    let daemon = Daemon::start().await;
    let file = daemon.path().join("echo.wasm");
    let windlass = |args: &[&str]| {
        let output = std::process::Command::new(binary()).args(args).args(["--url", &daemon.url]).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code(), text)
    };
    for number in [1, 2] {
        fs::write(&file, variant("no-describe", number)).unwrap();
        let (code, said) = windlass(&["tasks", "upload", file.to_str().unwrap()]);
        assert!(code == Some(0) && said.contains("is in service"), "{said}");
    }
    let (_, said) = windlass(&["tasks", "versions", "echo"]);
    assert!(said.contains("in service") && said.contains("before") && said.contains("a new version came"), "{said}");
    let (code, said) = windlass(&["tasks", "rollback", "echo"]);
    assert!(code == Some(0) && said.starts_with("echo is back at "), "{said}");
    assert!(windlass(&["tasks", "pin", "echo"]).1.starts_with("echo is pinned to "));
    let (code, said) = windlass(&["tasks", "rollback", "echo"]);
    assert!(code == Some(1) && said.contains("the task is pinned"), "{said}");
    assert_eq!(windlass(&["tasks", "unpin", "echo"]).1, "echo is not pinned\n");
    assert!(windlass(&["tasks", "show", "echo"]).1.contains("in_service"));
    assert!(windlass(&["tasks", "echo"]).1.contains("digest"));
    assert_eq!(windlass(&["tasks", "delete", "echo"]).1, "echo is out of service\n");
    fs::write(&file, "junk").unwrap();
    let (code, said) = windlass(&["tasks", "upload", file.to_str().unwrap(), "--name", "other"]);
    assert!(code == Some(1) && said.contains("the file is not WebAssembly"), "{said}");
}
