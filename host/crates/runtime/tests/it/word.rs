//! What a guest and its host tell each other about the job.

use std::sync::Arc;
use std::time::Duration;

use windlass_model::{ErrorKind, Progress};

use crate::bench::{Bench, Recorder, failed, job, output};

#[tokio::test]
async fn a_percentage_of_250_reaches_the_host_as_it_is() {
    let bench = Bench::with(&["probe"]).await;
    let (_, host) = bench.run("probe", r#"{"do":"percent","values":[250,10]}"#).await;
    let percents: Vec<_> = host.reports().iter().map(|report| report.percent_complete).collect();
    assert_eq!(percents, [Some(250), Some(10)]);
}

#[tokio::test]
async fn steps_are_reported_in_order_with_their_texts() {
    let bench = Bench::with(&["probe"]).await;
    let (_, host) = bench.run("probe", r#"{"do":"steps","steps":2,"pause_ms":0}"#).await;
    let step = |n: u32, percent| Progress {
        percent_complete: Some(percent),
        task_step: Some(n),
        status_info: Some(format!("Step {n} of 2")),
    };
    assert_eq!(host.reports(), [step(1, 50), step(2, 100)]);
}

#[tokio::test]
async fn a_guest_can_ask_for_its_job() {
    let bench = Bench::with(&["probe"]).await;
    let mut job = job("probe", r#"{"do":"context"}"#);
    (job.attempt, job.timeout) = (3, Some(Duration::from_secs(60)));
    let (id, created) = (job.id, job.created_at);
    let report = bench.attempt(job, &Arc::default()).await;
    let said: serde_json::Value = serde_json::from_str(output(&report.outcome)).unwrap();
    assert_eq!(said["id"], id.to_string());
    assert_eq!((&said["attempt"], &said["max_attempts"]), (&3.into(), &5.into()));
    assert!(said["deadline"].as_u64().unwrap() > 1_795_000_000_000);
    let context = match &said["context"] {
        serde_json::Value::String(text) => serde_json::from_str(text).unwrap(),
        other => other.clone(),
    };
    let expected = serde_json::json!({
        "job_id": id, "task": "probe", "queue": "default", "attempt": 3, "max_attempts": 5,
        "tags": ["blue"], "metadata": {"user": 5}, "created_at": created.to_string(),
    });
    assert_eq!(context, expected);
}

#[tokio::test]
async fn a_checkpoint_of_one_attempt_is_found_by_the_next() {
    let bench = Bench::with(&["probe"]).await;
    let host = Arc::new(Recorder::default());
    let args = r#"{"do":"checkpoint","value":[1,2]}"#;
    let report = bench.attempt(job("probe", args), &host).await;
    assert_eq!(failed(report.outcome, ErrorKind::Retryable), "kept a checkpoint");
    let report = bench.attempt(job("probe", args), &host).await;
    assert_eq!(output(&report.outcome), "[1,2]");
}
