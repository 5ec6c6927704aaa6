//! Daemons on PostgreSQL: one of them works as on SQLite, and of many on one database each answers for all.

use serde_json::json;
use windlass_test_cluster::Database;

use crate::daemon::Daemon;
use crate::progress::events;

/// Two daemons on one database. The one that the test talks to has no room, so that whatever runs, runs on the other one.
struct Pair {
    here: Daemon,
    there: Daemon,
    _database: Database,
}

impl Pair {
    async fn start(flags: &[&str]) -> Self {
        let database = Database::create().await.unwrap();
        let here = Daemon::start_on(&database, &[&["--slots", "1"], flags].concat()).await;
        let id = here.enqueue(json!({ "do": "wait_file", "path": "/data/never" })).await;
        here.until(&id, |job| job["task_step"] == 1).await;
        let there = Daemon::start_on(&database, flags).await;
        Self { here, there, _database: database }
    }
}

#[tokio::test]
async fn a_job_runs_on_postgresql_from_its_enqueue_to_its_end() {
    let database = Database::create().await.unwrap();
    let mut daemon = Daemon::start_on(&database, &[]).await;
    let job = daemon.run(json!({ "do": "ok", "value": { "rows": 3 } })).await;
    assert_eq!((&job["state"], &job["output"]), (&json!("completed"), &json!({ "rows": 3 })), "{job}");
    let id = daemon.enqueue(json!({ "do": "fail_until", "attempt": 2 })).await;
    assert_eq!(daemon.finished(&id).await["output"], json!({ "attempt": 2 }));
    let kept = daemon.job(&id).await;
    assert!(daemon.stop());
    daemon.start_again();
    assert_eq!(daemon.job(&id).await, kept);
}

#[tokio::test]
async fn any_daemon_tells_of_a_job_that_runs_on_another() {
    let pair = Pair::start(&[]).await;
    let id = pair.here.enqueue(json!({ "do": "steps", "steps": 20, "pause_ms": 20 })).await;
    let events = events(&pair.here, &id, None).await;
    let steps: Vec<_> =
        events.iter().filter(|(_, kind, _)| kind == "step").map(|(.., data)| &data["task_step"]).collect();
    assert_eq!(steps, (1..=20).map(|step| json!(step)).collect::<Vec<_>>().iter().collect::<Vec<_>>());
    let (_, last, job) = events.last().unwrap();
    assert_eq!((last.as_str(), &job["state"]), ("end", &json!("completed")));
    assert_eq!(pair.here.job(&id).await, pair.there.job(&id).await);

    let id = pair.here.enqueue(json!({ "do": "print", "lines": 30, "length": 5 })).await;
    assert_eq!(pair.here.finished(&id).await["state"], "completed");
    assert_eq!(pair.here.job_log(&id).await.len(), 30);
    assert_eq!(pair.here.job_log(&id).await, pair.there.job_log(&id).await);
}

#[tokio::test]
async fn a_job_is_cancelled_by_way_of_a_daemon_that_does_not_run_it() {
    let pair = Pair::start(&[]).await;
    let id = pair.here.enqueue(json!({ "do": "wait_cancel" })).await;
    pair.here.until(&id, |job| job["task_step"] == 1).await;
    let (status, job) = pair.here.post(&format!("/api/v1/jobs/{id}/cancel"), &json!({})).await;
    assert!((200..300).contains(&status), "{job}");
    let job = pair.here.finished(&id).await;
    assert_eq!((&job["state"], &job["error"]["kind"]), (&json!("cancelled"), &json!("cancelled")), "{job}");
}
