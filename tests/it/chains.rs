//! Jobs that come after others, and jobs that enqueue others.

use serde_json::{Value, json};

use crate::daemon::Daemon;

fn ok(value: &str, after: &[&str]) -> Value {
    json!({ "task": "probe", "args": { "do": "ok", "value": value }, "after": after })
}

#[tokio::test]
async fn a_fan_in_starts_when_the_last_of_its_parents_has_ended() {
    let daemon = Daemon::start().await;
    let wait = |name: &str| json!({ "do": "wait_file", "path": format!("/data/{name}") });
    let (one, two) = (daemon.enqueue(wait("one")).await, daemon.enqueue(wait("two")).await);
    let last = daemon.enqueue_job(ok("last", &[&one, &two])).await;
    let after_last = daemon.enqueue_job(ok("after", &[&last])).await;
    assert_eq!(daemon.job(&last).await["waits_for"], 2);
    std::fs::write(daemon.path().join("shared/one"), "").unwrap();
    daemon.finished(&one).await;
    let job = daemon.job(&last).await;
    assert_eq!((&job["state"], &job["waits_for"]), (&json!("scheduled"), &json!(1)));
    std::fs::write(daemon.path().join("shared/two"), "").unwrap();
    let job = daemon.finished(&after_last).await;
    assert_eq!((&job["state"], &job["output"]), (&json!("completed"), &json!("after")));
    let (last, two) = (daemon.job(&last).await, daemon.job(&two).await);
    assert!(last["started_at"].as_str() >= two["finished_at"].as_str(), "{last} {two}");
}

#[tokio::test]
async fn what_comes_after_a_job_that_was_discarded_is_cancelled_unless_it_runs_all_the_same() {
    let daemon = Daemon::start().await;
    let failed = daemon.run(json!({ "do": "fatal", "message": "no" })).await;
    let failed = failed["id"].as_str().unwrap();
    let cancelled = daemon.finished(&daemon.enqueue_job(ok("never", &[failed])).await).await;
    assert_eq!(cancelled["state"], "cancelled");
    assert_eq!(cancelled["error"]["message"], format!("job {failed}, which it comes after, did not complete"));
    let mut body = ok("anyway", &[failed]);
    body["on_failure"] = json!("run");
    assert_eq!(daemon.finished(&daemon.enqueue_job(body).await).await["output"], "anyway");
}

#[tokio::test]
async fn a_job_that_is_tried_again_does_not_enqueue_its_children_twice() {
    let daemon = Daemon::start().await;
    let child = json!({ "task": "probe", "args": { "do": "ok", "value": "child" } });
    let other = json!({ "task": "probe", "args": { "do": "ok", "value": "other" } });
    let job = daemon.run(json!({ "do": "enqueue", "requests": [child, child, other], "until": 3 })).await;
    assert_eq!((&job["state"], &job["attempt"]), (&json!("completed"), &json!(3)), "{job}");
    let ids: Vec<_> = job["output"].as_array().unwrap().iter().map(|answer| answer["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids[0] != ids[1], "the same request twice in one attempt is two jobs");
    for id in &ids {
        assert_eq!(daemon.finished(id).await["parent_id"], job["id"]);
    }
    let (_, page) = daemon.get("/api/v1/jobs?task=probe").await;
    assert_eq!(page["jobs"].as_array().unwrap().len(), 4, "{page}");
}

#[tokio::test]
async fn a_guest_learns_in_words_what_is_wrong_with_its_request() {
    let daemon = Daemon::start().await;
    let requests = json!([
        { "task": "hello" },
        { "task": "probe", "args": { "do": "ok" } },
        { "task": "probe", "args": { "do": "ok", "value": 1 }, "delay": 5 },
        { "task": "probe", "args": { "do": "ok", "value": 1 }, "priority": 1000 },
        { "args": {} },
    ]);
    let job = daemon.run(json!({ "do": "enqueue", "requests": requests, "until": 1 })).await;
    let refused: Vec<_> =
        job["output"].as_array().unwrap().iter().map(|answer| answer["refused"].as_str().unwrap_or("")).collect();
    let expected = [
        "`probe` may not enqueue `hello`: the operator grants it in probe.toml with",
        "the arguments do not fit the task `probe`: ",
        "unknown field `delay`",
        "a priority lies between -100 and 100",
        "may not enqueue ``",
    ];
    for (refused, expected) in refused.iter().zip(expected) {
        assert!(refused.contains(expected), "{refused} does not say: {expected}");
    }
}
