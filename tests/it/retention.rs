//! Finished jobs go when they have had their time, with all that belongs to them.

use serde_json::json;

use crate::daemon::Daemon;

/// Runs a job that leaves an artifact.
async fn with_artifact(daemon: &Daemon) -> String {
    let job = daemon.run(json!({ "do": "write_out", "files": { "a.txt": "one" } })).await;
    assert_eq!((&job["state"], &job["artifacts"][0]["name"]), (&json!("completed"), &json!("a.txt")), "{job}");
    let id = job["id"].as_str().unwrap().to_owned();
    assert!(daemon.path().join(artifacts(daemon)).join(&id).exists());
    id
}

/// The folder of artifacts that belongs to the daemon's database, below the data directory.
fn artifacts(daemon: &Daemon) -> String {
    let folders = std::fs::read_dir(daemon.path().join("artifacts")).unwrap();
    let folders: Vec<_> = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(folders.len(), 1, "{folders:?}");
    format!("artifacts/{}", folders[0])
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
    let artifacts = artifacts(&daemon);
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
    daemon.until_gone(&format!("{artifacts}/{id}")).await;
    assert_eq!(daemon.job(&kept).await["state"], "completed");
    let (_, stats) = daemon.get("/api/v1/stats").await;
    assert_eq!((&stats["jobs"]["completed"], &stats["jobs"]["discarded"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn artifacts_of_jobs_that_nobody_knows_are_swept_and_those_of_others_stay() {
    let mut daemon = Daemon::start().await;
    let id = with_artifact(&daemon).await;
    let artifacts = artifacts(&daemon);
    daemon.kill();
    // As if the daemon had died between removing the row and removing the files.
    let unknown = "0197c2a4-5b1e-7c3d-9f00-3a5d8e6b7c21/1/a.txt";
    let write = |path: &str| {
        let path = daemon.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    };
    let (orphan, notes, elsewhere) =
        (format!("{artifacts}/{unknown}"), format!("{artifacts}/notes/a.txt"), format!("artifacts/another/{unknown}"));
    [&orphan, &notes, &elsewhere].into_iter().for_each(|path| write(path));
    daemon.start_again();
    daemon.until_gone(&orphan).await;
    assert!(daemon.path().join(&artifacts).join(&id).join("1/a.txt").exists());
    assert!(daemon.path().join(notes).exists(), "what is not ours stays");
    assert!(daemon.path().join(elsewhere).exists(), "so does what belongs to another database");
}
