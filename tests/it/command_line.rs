//! The commands of the binary, as a script would use them.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::daemon::{Daemon, binary, guest};

pub(crate) fn windlass(args: &[&str]) -> Output {
    Command::new(binary()).args(args).env_remove("WINDLASS_URL").output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test]
async fn a_job_can_be_enqueued_watched_and_shown() {
    let daemon = Daemon::start().await;
    let args = json!({ "do": "steps", "steps": 3, "pause_ms": 20 }).to_string();
    let watched = windlass(&["enqueue", "probe", "--args", &args, "--watch", "--url", &daemon.url]);
    assert_eq!(watched.status.code(), Some(0), "{}", text(&watched.stderr));
    let said = text(&watched.stdout) + &text(&watched.stderr);
    assert!(said.contains("Step 3 of 3"), "{said}");

    let enqueued =
        windlass(&["enqueue", "probe", "--args", r#"{"do":"ok","value":7}"#, "--json", "--url", &daemon.url]);
    let job: Value = serde_json::from_slice(&enqueued.stdout).unwrap();
    let id = job["id"].as_str().unwrap();
    daemon.finished(id).await;
    let shown = windlass(&["jobs", "show", id, "--json", "--url", &daemon.url]);
    assert_eq!(serde_json::from_slice::<Value>(&shown.stdout).unwrap()["output"], 7);
    let listed = windlass(&["jobs", "list", "--url", &daemon.url]);
    assert!(text(&listed.stdout).contains(id), "{}", text(&listed.stdout));
    let tasks = windlass(&["tasks", "--url", &daemon.url]);
    assert!(text(&tasks.stdout).contains("probe"), "{}", text(&tasks.stdout));
}

#[tokio::test]
async fn the_terms_of_a_job_can_be_given_as_flags() {
    let daemon = Daemon::start().await;
    let enqueue = |flags: &[&str]| {
        let args = r#"{"do":"ok","value":7}"#;
        let common = ["enqueue", "probe", "--args", args, "--json", "--delay-ms", "60000", "--url", &daemon.url];
        let output = windlass(&[&common, flags].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let first = enqueue(&["--unique", "--expires-in-ms", "90000", "--concurrency-key", "k", "--delays-ms", "10,20"]);
    assert_eq!((&first["deduplicated"], &first["concurrency_key"]), (&json!(false), &json!("k")));
    assert!(first["expires_at"].is_string());
    assert_eq!(enqueue(&["--unique"])["id"], first["id"], "the same arguments");
    assert_ne!(enqueue(&["--unique", "another"])["id"], first["id"]);
    let args = r#"{"do":"ok","value":7}"#;
    let again = windlass(&["enqueue", "probe", "--args", args, "--unique", "--url", &daemon.url]);
    assert_eq!(text(&again.stdout).trim(), first["id"].as_str().unwrap());
    assert!(text(&again.stderr).contains("nothing was enqueued"), "{}", text(&again.stderr));
    let id = first["id"].as_str().unwrap();
    let after = enqueue(&["--after", id, "--idempotency-key", "once"]);
    assert_eq!(after["waits_for"], 1);
    assert_eq!(enqueue(&["--after", id, "--idempotency-key", "once"]), after);
}

#[tokio::test]
async fn exit_codes_tell_a_script_how_it_went() {
    let daemon = Daemon::start().await;
    let fatal =
        windlass(&["enqueue", "probe", "--args", r#"{"do":"fatal","message":"no"}"#, "--watch", "--url", &daemon.url]);
    assert_eq!(fatal.status.code(), Some(3), "{}", text(&fatal.stderr));
    let unknown = windlass(&["enqueue", "prob", "--args", "{}", "--url", &daemon.url]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stderr).contains("probe"), "{}", text(&unknown.stderr));
    let usage = windlass(&["enqueue"]);
    assert_eq!(usage.status.code(), Some(2));
    let nobody = windlass(&["jobs", "list", "--url", "http://127.0.0.1:9"]);
    assert_eq!(nobody.status.code(), Some(5), "{}", text(&nobody.stderr));
}

#[test]
fn a_plugin_runs_without_a_daemon() {
    let out = tempfile::tempdir().unwrap();
    let hello = guest("hello");
    let run = windlass(&["run", hello.to_str().unwrap(), "--args", r#"{"name":"Ada"}"#]);
    assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
    assert_eq!(text(&run.stdout).trim(), r#"{"greeting":"Hello, Ada!"}"#);

    let wrong = windlass(&["run", hello.to_str().unwrap(), "--args", r#"{"nam":"Ada"}"#]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(text(&wrong.stderr).contains("name"), "{}", text(&wrong.stderr));

    let folder = tempfile::tempdir().unwrap();
    let probe = folder.path().join("probe.wasm");
    std::fs::copy(guest("probe"), &probe).unwrap();
    // It can enqueue, and there is no word of the operator beside it.
    let refused = windlass(&["run", probe.to_str().unwrap(), "--args", "{}"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("enqueue = []"), "{}", text(&refused.stderr));
    std::fs::write(folder.path().join("probe.toml"), "enqueue = []").unwrap();
    let args = r#"{"do":"write_out","files":{"a.txt":"one"}}"#;
    let run = windlass(&["run", probe.to_str().unwrap(), "--args", args, "--out", out.path().to_str().unwrap()]);
    assert_eq!(run.status.code(), Some(0), "{}", text(&run.stderr));
    assert_eq!(std::fs::read_to_string(out.path().join("a.txt")).unwrap(), "one");

    let failed =
        windlass(&["run", probe.to_str().unwrap(), "--args", r#"{"do":"panic","message":"the box is empty"}"#]);
    assert_eq!(failed.status.code(), Some(3));
    assert!(text(&failed.stderr).contains("the box is empty"));
}

#[test]
fn settings_that_are_not_usable_are_all_named_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let serve = windlass(&["serve", "--listen", "0.0.0.0:0", "--slots", "0", "--data-dir", data.to_str().unwrap()]);
    assert_eq!(serve.status.code(), Some(1));
    let said = text(&serve.stderr);
    assert!(said.contains("listen:") && said.contains("slots:"), "{said}");
    assert!(!data.exists());
}

#[test]
fn the_next_fires_of_a_cron_line_are_shown_without_a_daemon() {
    let args = ["schedules", "next", "30 2 * * 1-5,7", "--tz", "Europe/Berlin", "-n", "3", "--from", "2026-03-28"];
    let shown = windlass(&args);
    assert_eq!(
        text(&shown.stdout),
        "At 02:30, Monday to Friday and Sunday, Europe/Berlin\n\
         Sun 2026-03-29 03:00:00 +02:00   2026-03-29T01:00:00Z\n\
         Mon 2026-03-30 02:30:00 +02:00   2026-03-30T00:30:00Z\n\
         Tue 2026-03-31 02:30:00 +02:00   2026-03-31T00:30:00Z\n",
        "{}",
        text(&shown.stderr)
    );
    let shown: Value = serde_json::from_slice(&windlass(&[&args[..], &["--json"]].concat()).stdout).unwrap();
    assert_eq!(shown["sentence"], "At 02:30, Monday to Friday and Sunday, Europe/Berlin");
    assert_eq!(shown["fires"][0], json!({ "at": "2026-03-29T01:00:00.000000Z", "local": "2026-03-29T03:00:00+02:00" }));
    let refused = windlass(&["schedules", "next", "0 0 30 2 *"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("never fires: no year has such a date"), "{}", text(&refused.stderr));
    let silent = windlass(&["schedules", "next", "* 2 * 3 SUNL", "--tz", "Europe/Berlin"]);
    assert_eq!(silent.status.code(), Some(1));
    assert!(text(&silent.stderr).contains("does not fire in the next hundred years"), "{}", text(&silent.stderr));
}
