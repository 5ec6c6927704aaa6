//! What was accepted is never lost, and what was taken away cannot come back.

use serde_json::json;

use crate::daemon::Daemon;

#[tokio::test]
async fn a_202_survives_a_kill_right_after_the_answer() {
    let mut daemon = Daemon::start().await;
    let mut ids = Vec::new();
    for number in 0..20 {
        ids.push(daemon.enqueue(json!({ "do": "append", "path": "/data/runs", "line": number.to_string() })).await);
    }
    daemon.kill();
    daemon.start_again();
    for id in ids {
        let job = daemon.finished(&id).await;
        assert_eq!(job["state"], "completed", "{job}");
    }
    let runs = std::fs::read_to_string(daemon.path().join("shared/runs")).unwrap();
    for number in 0..20 {
        assert!(runs.lines().any(|line| line == number.to_string()), "job {number} never ran");
    }
}

#[tokio::test]
async fn a_job_whose_worker_was_killed_runs_again_and_the_crash_costs_no_attempt() {
    let mut daemon = Daemon::start().await;
    let id = daemon.enqueue(json!({ "do": "wait_file", "path": "/data/go" })).await;
    daemon.until(&id, |job| job["task_step"] == 1).await;
    daemon.kill();
    std::fs::write(daemon.path().join("shared/go"), "").unwrap();
    daemon.start_again();
    let job = daemon.finished(&id).await;
    assert_eq!((&job["state"], &job["attempt"]), (&json!("completed"), &json!(1)), "{job}");
    let (_, attempts) = daemon.get(&format!("/api/v1/jobs/{id}/attempts")).await;
    let attempts = attempts["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 2, "{attempts:?}");
    assert_eq!(attempts[0]["error"]["kind"], "worker_lost");
    assert!(attempts[1]["lease"].as_u64() > attempts[0]["lease"].as_u64());
}

#[tokio::test]
async fn a_job_that_kills_three_workers_is_a_poison_pill() {
    let mut daemon = Daemon::start().await;
    let id = daemon.enqueue(json!({ "do": "wait_file", "path": "/data/never" })).await;
    for lease in 1..=3 {
        // The last attempt is the one that runs, and its lease says that it is a new one.
        let is_running = |answer: &serde_json::Value| {
            let last = answer["attempts"].as_array().and_then(|attempts| attempts.last());
            last.is_some_and(|last| last["lease"] == lease && last["ended_at"].is_null())
        };
        daemon.until_at(&format!("/api/v1/jobs/{id}/attempts"), is_running).await;
        daemon.kill();
        daemon.start_again();
    }
    let job = daemon.finished(&id).await;
    assert_eq!((&job["state"], &job["error"]["kind"]), (&json!("discarded"), &json!("worker_lost")), "{job}");
}

#[tokio::test]
async fn a_second_daemon_in_the_same_data_directory_is_turned_away() {
    let daemon = Daemon::start().await;
    let second = std::process::Command::new(crate::daemon::binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(daemon.path())
        .output()
        .unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("another daemon uses the data directory"), "{said}");
    assert_eq!(daemon.get("/healthz").await.0, 200);
}
