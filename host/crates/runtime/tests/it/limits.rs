//! What one attempt may use.

use std::sync::Arc;

use windlass_model::{AttemptOutcome, ErrorKind};
use windlass_runtime::Limits;

use crate::bench::{Bench, failed, guest_bytes, job, output};

async fn probe_with(set: impl FnOnce(&mut Limits)) -> Bench {
    let bench = Bench::bounded(|settings| set(&mut settings.limits));
    bench.put("probe.wasm", &guest_bytes("probe"));
    bench.runtime.load_all().await;
    bench
}

#[tokio::test]
async fn a_guest_that_eats_memory_is_told_as_out_of_memory() {
    let bench = probe_with(|limits| limits.memory_bytes = 16 << 20).await;
    let (outcome, _) = bench.run("probe", r#"{"do":"eat_memory"}"#).await;
    let message = failed(outcome, ErrorKind::OutOfMemory);
    assert!(message.starts_with("it wanted more memory than its limit of 16 MiB"), "{message}");
    // What it held is free again.
    let (outcome, _) = bench.run("probe", r#"{"do":"ok","value":1}"#).await;
    assert_eq!(output(&outcome), "1");
}

#[tokio::test]
async fn an_output_that_is_too_large_is_told_as_that() {
    let bench = Bench::with(&["probe"]).await;
    let most = (1 << 20) - 2;
    let (outcome, _) = bench.run("probe", &format!(r#"{{"do":"big_output","bytes":{most}}}"#)).await;
    assert_eq!(output(&outcome).len(), 1 << 20);
    let (outcome, _) = bench.run("probe", &format!(r#"{{"do":"big_output","bytes":{}}}"#, most + 1)).await;
    let message = failed(outcome, ErrorKind::OutputTooLarge);
    assert!(message.starts_with("it returned 1.1 MiB, more than the 1 MiB that an output may have"), "{message}");
}

#[tokio::test]
async fn an_output_larger_than_a_call_may_carry_fails_the_attempt_and_no_more() {
    let bench = probe_with(|limits| limits.hostcall_bytes = 2 << 20).await;
    let (outcome, _) = bench.run("probe", r#"{"do":"big_output","bytes":8000000}"#).await;
    assert!(matches!(outcome, AttemptOutcome::Failed(_)), "{outcome:?}");
}

#[tokio::test]
async fn a_checkpoint_that_is_too_large_is_a_trap_that_says_so() {
    let bench = probe_with(|limits| limits.checkpoint_bytes = 1_000).await;
    let args = format!(r#"{{"do":"checkpoint","value":"{}"}}"#, "x".repeat(999));
    let (outcome, _) = bench.run("probe", &args).await;
    let message = failed(outcome, ErrorKind::Trap);
    assert!(message.starts_with("a checkpoint of 1001 B was saved, at most 1000 B are kept"), "{message}");
}

#[tokio::test]
async fn too_many_artifacts_fail_the_attempt_and_none_is_kept() {
    let bench = probe_with(|limits| limits.artifact_files = 2).await;
    let job = job("probe", r#"{"do":"write_out","files":{"a":"1","b":"2","c":"3"}}"#);
    let id = job.id;
    let report = bench.attempt(job, &Arc::default()).await;
    assert_eq!(failed(report.outcome, ErrorKind::OutputTooLarge), "it left more than 2 files in /out");
    assert!(report.artifacts.is_empty());
    assert!(!bench.path("artifacts").join(id.to_string()).exists());
}

#[tokio::test]
async fn artifacts_that_are_too_large_fail_the_attempt() {
    let bench = probe_with(|limits| limits.artifact_bytes = 5).await;
    let (outcome, _) = bench.run("probe", r#"{"do":"write_out","files":{"a":"123","b":"456"}}"#).await;
    assert_eq!(failed(outcome, ErrorKind::OutputTooLarge), "it left 6 B in /out, more than 5 B");
}
