//! Probes.

use serde_json::json;

use crate::harness::TestApi;

#[tokio::test]
async fn a_daemon_whose_database_answers_is_ready() {
    let api = TestApi::start().await;
    for path in ["/healthz", "/readyz"] {
        let answer = api.get(path).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "status": "ok" })));
    }
}

#[tokio::test]
async fn a_daemon_that_stops_lives_but_is_not_ready() {
    let api = TestApi::start().await;
    api.engine.begin_shutdown();
    api.get("/readyz").await.problem(503, "stopping");
    assert_eq!(api.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_daemon_whose_database_is_gone_lives_but_is_not_ready() {
    let api = TestApi::start().await;
    api.store.close().await;
    let answer = api.get("/readyz").await;
    answer.problem(503, "database_unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(api.get("/healthz").await.status, 200);
    api.get("jobs").await.problem(503, "database_unavailable");
}
