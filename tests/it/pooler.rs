//! Daemons behind PgBouncer in transaction mode, which may give every transaction another connection to the server.

use serde_json::json;
use tokio::task::JoinSet;
use windlass_test_cluster::{Cluster, Pooler};

use crate::check::{check, found};
use crate::daemon::Daemon;

/// Fewer than what asks at once, so that connections change hands all the time.
const SERVER_CONNECTIONS: u32 = 3;

#[tokio::test]
async fn two_daemons_work_behind_a_pooler_in_transaction_mode() {
    let pooler = Pooler::start(Cluster::start(&[]).unwrap(), SERVER_CONNECTIONS).unwrap();
    let url = pooler.url("postgres");
    let flags = ["--database-url", &url, "--database-poll-only", "--poll-interval-ms", "50"];
    let daemons = [Daemon::start_with(&flags).await, Daemon::start_with(&flags).await];

    // Every job is enqueued, awaited and read by a client of its own; the reads of one daemon meet the writes of the other.
    let mut clients = JoinSet::new();
    for number in 0..200_usize {
        let (to, from) = (&daemons[number % 2], &daemons[(number + 1) % 2]);
        let body = json!({ "task": "probe", "args": { "do": "ok", "value": number } });
        let enqueue = to.request(reqwest::Method::POST, "/api/v1/jobs").json(&body);
        let list = to.request(reqwest::Method::GET, "/api/v1/jobs?limit=5");
        let (http, url) = (reqwest::Client::new(), from.url.clone());
        clients.spawn(async move {
            let job: serde_json::Value = enqueue.send().await.unwrap().json().await.unwrap();
            let id = job["id"].as_str().unwrap_or_else(|| panic!("{job}"));
            assert_eq!(list.send().await.unwrap().status(), 200);
            let get = http.get(format!("{url}/api/v1/jobs/{id}?wait=60s"));
            let job: serde_json::Value = get.send().await.unwrap().json().await.unwrap();
            assert_eq!((&job["state"], &job["output"]), (&json!("completed"), &json!(number)), "{job}");
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }

    // By way of the daemon that took the job in and of the other one, whichever runs it.
    for by in &daemons {
        let id = daemons[0].enqueue(json!({ "do": "wait_cancel" })).await;
        daemons[0].until(&id, |job| job["task_step"] == 1).await;
        let (status, job) = by.post(&format!("/api/v1/jobs/{id}/cancel"), &json!({})).await;
        assert!((200..300).contains(&status), "{job}");
        assert_eq!(by.finished(&id).await["state"], "cancelled");
    }

    let (_, answer) = check(daemons[0].path(), &flags[..3]);
    assert_eq!(found(&answer, "connections").0, "ok", "{answer}");
    assert_eq!(found(&answer, "schema").0, "ok", "{answer}");

    for mut daemon in daemons {
        assert!(daemon.stop());
        let log = daemon.log();
        // What was tried again would have gone well in the end too.
        let is_wrong =
            |line: &&str| line.contains(" ERROR ") || line.contains(" WARN ") && !line.contains("slow statement");
        let said: Vec<_> = log.lines().filter(is_wrong).collect();
        assert!(said.is_empty(), "{}", said.join("\n"));
    }
}
