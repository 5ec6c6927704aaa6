//! Finished jobs go when they have had their time, with all that belongs to them.

use serde_json::json;

use crate::daemon::Daemon;

/// Runs a job that leaves an artifact.
async fn with_artifact(daemon: &Daemon) -> String {
    let job = daemon.run(json!({ "do": "write_out", "files": { "a.txt": "one" } })).await;
    assert_eq!((&job["state"], &job["artifacts"][0]["name"]), (&json!("completed"), &json!("a.txt")), "{job}");
    let id = job["id"].as_str().unwrap().to_owned();
    assert!(daemon.path().join("artifacts").join(&id).exists());
    id
}

#[tokio::test]
async fn finished_jobs_are_removed_with_their_artifacts_when_their_time_is_over() {
    let mut daemon = Daemon::start().await;
    let id = with_artifact(&daemon).await;
    let discarded = daemon.run(json!({ "do": "fatal", "message": "no" })).await;
    let kept =
        daemon.enqueue_job(json!({ "task": "probe", "queue": "kept", "args": { "do": "ok", "value": 1 } })).await;
    daemon.finished(&kept).await;
    let keep = |completed: u64| json!({ "keep_ms": { "completed": completed } });
    let (status, queue) = daemon.patch("/api/v1/queues/default", &keep(0)).await;
    assert_eq!(status, 200, "{queue}");
    // The next look is at the start.
    assert!(daemon.stop());
    std::fs::write(daemon.path().join("windlass.toml"), "keep_discarded_ms = 0\n").unwrap();
    daemon.start_again();
    for id in [&id, discarded["id"].as_str().unwrap()] {
        let path = format!("/api/v1/jobs/{id}");
        daemon.until_at(&path, |job| job["code"] == "job_not_found").await;
    }
    daemon.until_gone(&format!("artifacts/{id}")).await;
    assert_eq!(daemon.job(&kept).await["state"], "completed");
    let (_, stats) = daemon.get("/api/v1/stats").await;
    assert_eq!((&stats["jobs"]["completed"], &stats["jobs"]["discarded"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn artifacts_of_jobs_that_nobody_knows_are_swept_and_those_of_others_stay() {
    let mut daemon = Daemon::start().await;
    let id = with_artifact(&daemon).await;
    daemon.kill();
    // As if the daemon had died between removing the row and removing the files.
    let orphan = "artifacts/0197c2a4-5b1e-7c3d-9f00-3a5d8e6b7c21";
    std::fs::create_dir_all(daemon.path().join(orphan).join("1")).unwrap();
    std::fs::write(daemon.path().join(orphan).join("1/a.txt"), "x").unwrap();
    std::fs::create_dir_all(daemon.path().join("artifacts/notes")).unwrap();
    std::fs::write(daemon.path().join("artifacts/notes/a.txt"), "x").unwrap();
    daemon.start_again();
    daemon.until_gone(orphan).await;
    assert!(daemon.path().join("artifacts").join(&id).join("1/a.txt").exists());
    assert!(daemon.path().join("artifacts/notes/a.txt").exists(), "what is not ours stays");
}
