//! What the jobs of a task keep for one another.

use serde_json::{Value, json};

use crate::daemon::{Daemon, guest};

const GRANTS: &str = "[[keyvalue]]\nname = 'default'\nbytes = 10000\n";

/// A daemon with the keeper in service, under this name.
async fn keeper(daemon: &Daemon, name: &str) {
    std::fs::write(daemon.path().join(format!("plugins/{name}.toml")), GRANTS).unwrap();
    daemon.deploy(name, &std::fs::read(guest("keeper")).unwrap());
    daemon.until_at(&format!("/api/v1/tasks/{name}"), |task| task["version"].is_object()).await;
}

async fn run(daemon: &Daemon, task: &str, store: &str, acts: Value) -> Value {
    let id = daemon.enqueue_job(json!({ "task": task, "args": { "store": store, "acts": acts } })).await;
    let job = daemon.finished(&id).await;
    assert_eq!(job["state"], "completed", "{job}");
    job["output"].clone()
}

#[tokio::test]
async fn what_a_job_keeps_a_later_one_finds_also_after_a_restart_and_another_task_does_not() {
    let mut daemon = Daemon::start().await;
    keeper(&daemon, "keeper").await;
    let acts = json!([
        { "do": "set", "key": "cursor", "value": "page 17" },
        { "do": "set_many", "entries": [["a", "1"], ["b", "2"]] },
        { "do": "increment", "key": "runs", "by": 2 },
        { "do": "increment", "key": "runs", "by": 3 },
        { "do": "delete_many", "keys": ["b", "none"] },
        { "do": "list" },
    ]);
    let said = run(&daemon, "keeper", "default", acts).await;
    assert_eq!(said, json!([null, null, 2, 5, null, ["cursor", "a", "runs"]]));
    daemon.kill();
    daemon.start_again();
    let acts = json!([
        { "do": "get", "key": "cursor" },
        { "do": "get", "key": "none" },
        { "do": "exists", "key": "a" },
        { "do": "get_many", "keys": ["runs", "b"] },
    ]);
    assert_eq!(
        run(&daemon, "keeper", "default", acts.clone()).await,
        json!(["page 17", null, true, [["runs", "5"], null]])
    );
    keeper(&daemon, "keeper2").await;
    assert_eq!(run(&daemon, "keeper2", "default", acts).await, json!([null, null, false, [null, null]]));
}

#[tokio::test]
async fn both_drafts_of_the_interface_reach_the_same_store() {
    let daemon = Daemon::start().await;
    keeper(&daemon, "keeper").await;
    let acts = json!([
        { "do": "set", "key": "first", "value": "1" },
        { "do": "second", "key": "n" },
        { "do": "get", "key": "n" },
        { "do": "swap", "key": "c" },
        { "do": "get", "key": "c" },
    ]);
    let said = run(&daemon, "keeper", "default", acts).await;
    let walked = json!({
        "listed": ["first", "n"], "sum": -2, "many": [["n", "-2"], ["none", null]], "wrong_cursor_is_refused": true,
    });
    let swapped = json!({ "first_won": true, "then_sees": "first", "then_won": true });
    assert_eq!(said, json!([null, walked, "-2", swapped, "second"]));
}

#[tokio::test]
async fn a_store_that_is_full_or_was_not_granted_says_what_to_do() {
    let daemon = Daemon::start().await;
    keeper(&daemon, "keeper").await;
    let acts = json!([
        { "do": "fill", "key": "a", "bytes": 9_000 },
        { "do": "fill", "key": "b", "bytes": 2_000 },
        { "do": "set", "key": "", "value": "" },
        { "do": "fill", "key": "b", "bytes": 2_000_000 },
        { "do": "set", "key": "word", "value": "none" },
        { "do": "increment", "key": "word", "by": 1 },
        { "do": "delete", "key": "a" },
        { "do": "fill", "key": "b", "bytes": 2_000 },
    ]);
    let said = run(&daemon, "keeper", "default", acts).await;
    let errors: Vec<_> = (0..8).map(|n| said[n]["error"].as_str().unwrap_or("")).collect();
    assert_eq!(
        errors,
        [
            "",
            "the store \"default\" would hold 10.9 KiB, more than its 9.8 KiB: delete keys, or let the operator raise `bytes` of \
             that [[keyvalue]]",
            "a key cannot be empty",
            "the value of \"b\" has 2.0 MiB, more than the 1 MiB that a value may have",
            "",
            "the value of \"word\" is no number, or the sum would be too large",
            "",
            "",
        ]
    );
    let id = daemon.enqueue_job(json!({ "task": "keeper", "args": { "store": "other", "acts": [] } })).await;
    assert_eq!(daemon.finished(&id).await["output"], json!([{ "error": "no such store" }]));
    let log = daemon.job_log(&id).await.join("\n");
    assert!(log.contains("keeper.toml:\n[[keyvalue]]\nname = \"other\""), "{log}");
    let (_, task) = daemon.get("/api/v1/tasks/keeper").await;
    assert_eq!(task["version"]["grants"]["keyvalue"], json!([{ "name": "default", "bytes": 10_000 }]));
}
