//! Every way in which an attempt can end.

use serde_json::{Value, json};

use crate::daemon::Daemon;

fn ending(job: &Value) -> (&str, &str, &str) {
    let text = |value: &'_ Value| -> &'static str {
        Box::leak(value.as_str().unwrap_or_default().to_owned().into_boxed_str())
    };
    (text(&job["state"]), text(&job["error"]["kind"]), text(&job["error"]["message"]))
}

#[tokio::test]
async fn a_job_that_ends_well_keeps_its_output() {
    let daemon = Daemon::start().await;
    let job = daemon.run(json!({ "do": "ok", "value": { "b": 1.5, "a": [true, null] } })).await;
    assert_eq!(job["state"], "completed");
    assert_eq!(job["output"], json!({ "b": 1.5, "a": [true, null] }));
    assert_eq!(job["plugin_digest"].as_str().unwrap().len(), 64);
    assert!(job["duration_ms"].as_u64().is_some());
}

#[tokio::test]
async fn a_fatal_error_discards_the_job_at_once() {
    let daemon = Daemon::start().await;
    let job = daemon.run(json!({ "do": "fatal", "message": "no such record" })).await;
    assert_eq!(ending(&job), ("discarded", "fatal", "no such record"));
    assert_eq!(job["attempt"], 1);
}

#[tokio::test]
async fn a_handler_that_says_cancelled_for_no_reason_is_told_so() {
    let daemon = Daemon::start().await;
    let job = daemon.run(json!({ "do": "cancelled" })).await;
    assert_eq!(job["state"], "discarded");
    assert_eq!(job["error"]["kind"], "fatal");
}

#[tokio::test]
async fn a_snooze_runs_the_job_again_and_costs_no_attempt() {
    let daemon = Daemon::start().await;
    let job = daemon.run(json!({ "do": "snooze", "ms": 30 })).await;
    assert_eq!((&job["state"], &job["output"]["attempt"]), (&json!("completed"), &json!(1)), "{job}");
    let (_, attempts) = daemon.get(&format!("/api/v1/jobs/{}/attempts", job["id"].as_str().unwrap())).await;
    assert_eq!(attempts["attempts"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_panic_is_an_error_with_its_message_in_the_log() {
    let daemon = Daemon::start().await;
    let body = json!({ "task": "probe", "max_attempts": 1, "args": { "do": "panic", "message": "the box is empty" } });
    let id = daemon.enqueue_job(body).await;
    let job = daemon.finished(&id).await;
    let (state, kind, message) = ending(&job);
    assert_eq!((state, kind), ("discarded", "trap"));
    assert!(message.contains("the box is empty"), "{message}");
    let log = daemon.job_log(&id).await.join("\n");
    assert!(log.contains("the box is empty"), "{log}");
}

#[tokio::test]
async fn a_trap_an_exit_and_too_much_memory_fail_the_attempt_and_nothing_else() {
    let daemon = Daemon::start().await;
    for (what, kind) in [("trap", "trap"), ("eat_memory", "out_of_memory")] {
        let id = daemon.enqueue_job(json!({ "task": "probe", "max_attempts": 1, "args": { "do": what } })).await;
        let job = daemon.finished(&id).await;
        assert_eq!((&job["state"], &job["error"]["kind"]), (&json!("discarded"), &json!(kind)), "{job}");
    }
    let id =
        daemon.enqueue_job(json!({ "task": "probe", "max_attempts": 1, "args": { "do": "exit", "code": 3 } })).await;
    assert_eq!(daemon.finished(&id).await["error"]["kind"], "trap");
    assert_eq!(daemon.run(json!({ "do": "ok", "value": 1 })).await["output"], 1);
}

#[tokio::test]
async fn a_guest_that_takes_too_long_is_stopped_busy_or_asleep() {
    let daemon = Daemon::start().await;
    for args in [json!({ "do": "spin" }), json!({ "do": "sleep", "ms": 600_000 })] {
        let body = json!({ "task": "probe", "max_attempts": 1, "timeout_ms": 200, "args": args });
        let id = daemon.enqueue_job(body).await;
        let job = daemon.finished(&id).await;
        assert_eq!((&job["state"], &job["error"]["kind"]), (&json!("discarded"), &json!("timeout")), "{job}");
    }
}

#[tokio::test]
async fn an_output_that_is_too_large_is_refused() {
    let daemon = Daemon::start().await;
    let job = daemon.run(json!({ "do": "big_output", "bytes": 2_000_000 })).await;
    assert_eq!((&job["state"], &job["error"]["kind"]), (&json!("discarded"), &json!("output_too_large")));
    assert_eq!(job["output"], Value::Null);
}

#[tokio::test]
async fn a_guest_that_prints_a_lot_gets_a_log_that_is_cut_with_a_mark() {
    let daemon = Daemon::start().await;
    let id = daemon.enqueue(json!({ "do": "print", "lines": 20_000, "length": 200 })).await;
    let job = daemon.finished(&id).await;
    assert_eq!(job["state"], "completed", "{job}");
    let mut after = 0;
    let mut hosts = Vec::new();
    loop {
        let (_, page) = daemon.get(&format!("/api/v1/jobs/{id}/logs?limit=1000&after={after}")).await;
        let lines = page["lines"].as_array().unwrap();
        hosts.extend(lines.iter().filter(|line| line["stream"] == "host").map(|line| line["text"].to_string()));
        let Some(last) = lines.last() else { break };
        after = last["seq"].as_u64().unwrap();
    }
    assert!(after < 10_000, "{after} lines were kept");
    assert_eq!(hosts.len(), 1, "{hosts:?}");
}

#[tokio::test]
async fn what_was_granted_is_there_and_nothing_else() {
    let daemon = Daemon::start().await;
    std::fs::write(daemon.path().join("shared/note"), "granted").unwrap();
    assert_eq!(daemon.run(json!({ "do": "read", "path": "/data/note" })).await["output"], "granted");
    assert_eq!(daemon.run(json!({ "do": "env", "name": "GREETING" })).await["output"], "good morning");
    assert_eq!(daemon.run(json!({ "do": "env", "name": "PATH" })).await["output"], Value::Null);
    for path in ["/etc/hostname", "/data/../plugins/probe.toml", "../etc/hostname"] {
        let id = daemon
            .enqueue_job(json!({ "task": "probe", "max_attempts": 1, "args": { "do": "read", "path": path } }))
            .await;
        assert_eq!(daemon.finished(&id).await["state"], "discarded", "{path}");
    }
}

#[tokio::test]
async fn files_in_out_become_artifacts_and_a_failed_attempt_leaves_none() {
    let daemon = Daemon::start().await;
    let job = daemon.run(json!({ "do": "write_out", "files": { "a.txt": "one", "sub/b.json": "{}" } })).await;
    let names: Vec<_> = job["artifacts"].as_array().unwrap().iter().map(|artifact| artifact["name"].clone()).collect();
    assert_eq!(names, [json!("a.txt"), json!("sub/b.json")]);
    let id = job["id"].as_str().unwrap();
    let text = daemon.request(reqwest::Method::GET, &format!("/api/v1/jobs/{id}/artifacts/a.txt"));
    assert_eq!(text.send().await.unwrap().text().await.unwrap(), "one");

    let body = json!({ "task": "probe", "max_attempts": 1, "args": { "do": "write_out_then_fail", "name": "c.txt" } });
    let id = daemon.enqueue_job(body).await;
    assert_eq!(daemon.finished(&id).await["state"], "discarded");
    let (_, artifacts) = daemon.get(&format!("/api/v1/jobs/{id}/artifacts")).await;
    assert_eq!(artifacts["artifacts"], json!([]));
    assert_eq!(daemon.get(&format!("/api/v1/jobs/{id}/artifacts/c.txt")).await.0, 404);
}
