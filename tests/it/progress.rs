//! Progress: live, and no step lost.

use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::daemon::Daemon;

/// Reads a job's event stream to its end: (id, event, data).
pub(crate) async fn events(daemon: &Daemon, id: &str, after: Option<&str>) -> Vec<(Option<String>, String, Value)> {
    let mut request = daemon.request(reqwest::Method::GET, &format!("/api/v1/jobs/{id}/events"));
    if let Some(after) = after {
        request = request.header("Last-Event-ID", after);
    }
    let mut stream = request.send().await.unwrap().bytes_stream();
    let mut text = String::new();
    while let Some(chunk) = stream.next().await {
        text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
    }
    let field = |block: &str, name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": ").or(line.strip_prefix(name)?.strip_prefix(":")))
            .map(str::to_owned)
    };
    text.split("\n\n")
        .filter_map(|block| {
            let data = serde_json::from_str(&field(block, "data")?).unwrap();
            Some((field(block, "id"), field(block, "event")?, data))
        })
        .collect()
}

#[tokio::test]
async fn the_event_stream_has_every_step_in_order_and_ends_with_the_job() {
    let daemon = Daemon::start().await;
    let id = daemon.enqueue(json!({ "do": "steps", "steps": 30, "pause_ms": 5 })).await;
    let events = events(&daemon, &id, None).await;
    let steps: Vec<_> = events
        .iter()
        .filter(|(_, kind, _)| kind == "step")
        .map(|(_, _, data)| data["task_step"].as_u64().unwrap())
        .collect();
    assert_eq!(steps, (1..=30).collect::<Vec<_>>());
    let states: Vec<_> = events
        .iter()
        .filter(|(_, kind, _)| kind == "state")
        .map(|(_, _, data)| data["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["available", "running", "completed"]);
    let (_, last, job) = events.last().unwrap();
    assert_eq!((last.as_str(), &job["state"]), ("end", &json!("completed")));
}

#[tokio::test]
async fn a_stream_that_broke_goes_on_after_the_last_event_that_was_seen() {
    let daemon = Daemon::start().await;
    let id = daemon.enqueue(json!({ "do": "steps", "steps": 10, "pause_ms": 1 })).await;
    let whole = events(&daemon, &id, None).await;
    let durable: Vec<_> = whole.iter().filter(|(seq, ..)| seq.is_some()).collect();
    let (seen, ..) = durable[4];
    let rest = events(&daemon, &id, seen.as_deref()).await;
    let rest: Vec<_> = rest.iter().filter(|(seq, ..)| seq.is_some()).collect();
    assert_eq!(rest, durable[5..]);
}

#[tokio::test]
async fn a_percentage_of_250_counts_as_100_and_none_goes_back() {
    let daemon = Daemon::start().await;
    let job = daemon.run(json!({ "do": "percent", "values": [40, 30] })).await;
    assert_eq!(job["percent_complete"], 40);
    let job = daemon.run(json!({ "do": "percent", "values": [10, 250] })).await;
    assert_eq!(job["percent_complete"], 100);
}

#[tokio::test]
async fn a_long_poll_answers_when_the_job_is_over_or_the_time_is() {
    let daemon = Daemon::start().await;
    let id = daemon.enqueue(json!({ "do": "wait_file", "path": "/data/go" })).await;
    let (status, job) = daemon.get(&format!("/api/v1/jobs/{id}?wait=50ms")).await;
    assert_eq!((status, job["finished_at"].is_null()), (200, true), "{job}");
    let wait = daemon.finished(&id);
    let go = async { std::fs::write(daemon.path().join("shared/go"), "").unwrap() };
    let (job, ()) = tokio::join!(wait, go);
    assert_eq!(job["state"], "completed");
}

#[tokio::test]
async fn a_job_knows_itself() {
    let daemon = Daemon::start().await;
    let body = json!({
        "task": "probe", "queue": "exports", "tags": ["nightly"], "metadata": { "user": 7 }, "max_attempts": 4, "timeout_ms": 60_000,
        "args": { "do": "context" },
    });
    let id = daemon.enqueue_job(body).await;
    let job = daemon.finished(&id).await;
    let output = &job["output"];
    assert_eq!((&output["id"], &output["attempt"], &output["max_attempts"]), (&json!(id), &json!(1), &json!(4)));
    assert!(output["deadline"].as_u64().is_some());
    let context = &output["context"];
    assert_eq!((&context["task"], &context["queue"]), (&json!("probe"), &json!("exports")));
    assert_eq!((&context["tags"], &context["metadata"]), (&json!(["nightly"]), &json!({ "user": 7 })));
}
