//! `GET /workers`.

use serde_json::json;

use crate::harness::TestApi;

#[tokio::test]
async fn a_worker_is_listed_with_what_it_last_said_and_a_running_job_names_it() {
    let api = TestApi::start().await;
    let id = api.enqueue(json!({ "wait": true })).await;
    api.reaches(&id, "running").await;
    let workers = api.get("workers").await.json();
    let [worker] = workers["workers"].as_array().unwrap().as_slice() else { panic!("{workers}") };
    assert_eq!(worker["pid"], std::process::id());
    let time = |field: &str| worker[field].as_str().unwrap().to_owned();
    assert!(time("started_at") <= time("heartbeat_at") && time("heartbeat_at") < time("lease_until"), "{worker}");
    assert_eq!(api.get(format!("jobs/{id}")).await.json()["worker_id"], worker["id"]);
    api.runner.open_gate();
    assert!(api.finished(&id).await["worker_id"].is_null());
}
