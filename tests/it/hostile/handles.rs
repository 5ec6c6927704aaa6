//! Plugins that take handles, or fork.

use serde_json::json;

use super::yard::Yard;

#[tokio::test]
async fn handles_that_are_never_given_back_end_the_attempt() {
    let cases = [("exhaust_files", "too_many_handles", ""), ("exhaust_pollables", "too_many_handles", "")];
    let yard = Yard::of(&cases.map(|(task, ..)| task)).await;
    for _ in 0..3 {
        yard.expect(&cases, 20_000).await;
    }
    yard.close().await;
}

#[tokio::test]
async fn a_job_that_forks_without_a_grant_makes_no_child() {
    let yard = Yard::granted(&[("fork", "enqueue = []")]).await;
    let ending = yard.run("fork", json!({ "width": 10, "depth": 3 })).await;
    assert_eq!((ending.state.as_str(), &ending.output["made"]), ("completed", &json!(0)));
    let refused = ending.output["refused"].as_str().unwrap();
    assert!(refused.contains("enqueue = [\"fork\"]"), "{refused}");
    yard.close().await;
}

#[tokio::test]
async fn a_tree_of_forks_that_is_granted_runs_beside_the_others() {
    let yard = Yard::granted(&[("fork", "enqueue = [\"fork\"]")]).await;
    let ending = yard.run("fork", json!({ "width": 5, "depth": 3 })).await;
    assert_eq!((ending.state.as_str(), &ending.output), ("completed", &json!({ "made": 5 })));
    let queue = |count: u64| {
        move |queue: &serde_json::Value| {
            queue["jobs"]["running"] == 0 && queue["jobs"]["completed"].as_u64() >= Some(count)
        }
    };
    // The root, 5, 25 and 125.
    yard.daemon.until_at("/api/v1/queues/default", queue(1 + 5 + 25 + 125)).await;
    yard.close().await;
}

#[tokio::test]
async fn a_fork_bomb_is_refused_at_the_limit_of_enqueues() {
    let yard = Yard::granted(&[("fork", "enqueue = [\"fork\"]")]).await;
    // One generation without end: its children make none.
    let ending = yard.run_for("fork", json!({ "depth": 1 }), 60_000).await;
    assert_eq!((ending.state.as_str(), &ending.output["made"]), ("completed", &json!(1_000)), "{}", ending.message);
    let refused = ending.output["refused"].as_str().unwrap();
    assert!(refused.contains("enqueues"), "{refused}");
    yard.daemon.until_at("/api/v1/queues/default", |queue| queue["jobs"]["available"] == 0).await;
    yard.close().await;
}
