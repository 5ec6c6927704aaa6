//! How an attempt ends: what the guest returned, and what it did instead.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use windlass_model::{AttemptOutcome, ErrorKind, LogStream};

use crate::bench::{Bench, Recorder, failed, guest_bytes, job, output};

#[tokio::test]
async fn a_value_that_is_returned_is_the_output_byte_for_byte() {
    let bench = Bench::with(&["no-describe"]).await;
    let (outcome, _) = bench.run("no-describe", r#"{"b": 1.10, "a": 12345678901234567890123}"#).await;
    assert_eq!(output(&outcome), r#"{"b": 1.10, "a": 12345678901234567890123}"#);
}

#[tokio::test]
async fn each_task_error_is_told_as_what_it_is() {
    let bench = Bench::with(&["probe"]).await;
    let (outcome, _) = bench.run("probe", r#"{"do":"retryable","message":"try again"}"#).await;
    assert_eq!(failed(outcome, ErrorKind::Retryable), "try again");
    let (outcome, _) = bench.run("probe", r#"{"do":"fatal","message":"never"}"#).await;
    assert_eq!(failed(outcome, ErrorKind::Fatal), "never");
    let (outcome, _) = bench.run("probe", r#"{"do":"snooze","ms":1234}"#).await;
    assert_eq!(outcome, AttemptOutcome::Snoozed(Duration::from_millis(1_234)));
    let (outcome, _) = bench.run("probe", r#"{"do":"cancelled"}"#).await;
    assert_eq!(outcome, AttemptOutcome::Cancelled);
}

#[tokio::test]
async fn a_panic_is_a_trap_whose_message_is_in_the_log_and_in_the_error() {
    let bench = Bench::with(&["probe"]).await;
    let (outcome, host) = bench.run("probe", r#"{"do":"panic","message":"no such column"}"#).await;
    let message = failed(outcome, ErrorKind::Trap);
    assert!(message.lines().next().unwrap().contains("no such column"), "{message}");
    assert!(message.contains("wasm trap: wasm `unreachable` instruction executed"), "{message}");
    let logged =
        host.lines().into_iter().any(|(from, line)| from == LogStream::Stderr && line.contains("no such column"));
    assert!(logged, "{:?}", host.lines());
}

#[tokio::test]
async fn a_trap_is_named() {
    let bench = Bench::with(&["probe"]).await;
    let (outcome, _) = bench.run("probe", r#"{"do":"trap"}"#).await;
    let message = failed(outcome, ErrorKind::Trap);
    assert!(message.starts_with("wasm trap: wasm `unreachable` instruction executed"), "{message}");
}

#[tokio::test]
async fn a_guest_that_exits_is_told_with_its_status() {
    let bench = Bench::with(&["probe"]).await;
    let (outcome, _) = bench.run("probe", r#"{"do":"exit","code":0}"#).await;
    assert!(failed(outcome, ErrorKind::Trap).starts_with("it exited with status 0 instead of returning"));
}

#[tokio::test]
async fn an_output_that_is_not_json_is_fatal() {
    let bench = Bench::with(&["no-describe"]).await;
    let (outcome, _) = bench.run("no-describe", "{oops}").await;
    assert!(failed(outcome, ErrorKind::Fatal).starts_with("it returned text that is not JSON: \"{oops}\""));
}

#[tokio::test]
async fn a_task_that_is_not_loaded_is_not_the_guests_fault() {
    let bench = Bench::with(&[]).await;
    let (outcome, _) = bench.run("nobody", "{}").await;
    assert_eq!(outcome, AttemptOutcome::HostFault("the task `nobody` is not loaded on this worker".to_owned()));
}

#[tokio::test]
async fn a_busy_guest_and_a_sleeping_one_are_stopped_at_their_deadline() {
    let bench = Bench::with(&["probe"]).await;
    for args in [r#"{"do":"spin"}"#, r#"{"do":"sleep","ms":600000}"#] {
        let mut job = job("probe", args);
        job.timeout = Some(Duration::from_millis(200));
        let report = bench.attempt(job, &Arc::default()).await;
        assert_eq!(failed(report.outcome, ErrorKind::Timeout), "took longer than its limit of 200 ms", "{args}");
    }
}

#[tokio::test]
async fn a_busy_guest_and_a_sleeping_one_are_stopped_by_an_interrupt() {
    let bench = Bench::with(&["probe"]).await;
    for args in [r#"{"do":"spin"}"#, r#"{"do":"ignore_cancel"}"#] {
        let interrupt = CancellationToken::new();
        let host = Arc::new(Recorder::default());
        let stop = async {
            if args.contains("ignore") {
                host.started().await;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            interrupt.cancel();
        };
        let (report, ()) = tokio::join!(bench.interruptible(job("probe", args), &host, interrupt.clone()), stop);
        assert_eq!(report.outcome, AttemptOutcome::Interrupted, "{args}");
    }
}

#[tokio::test]
async fn busy_guests_leave_room_for_others_on_the_same_thread() {
    let bench = Bench::with(&["probe", "no-describe"]).await;
    let (interrupt, host) = (CancellationToken::new(), Arc::default());
    let others = async {
        let (outcome, _) = bench.run("no-describe", "{}").await;
        interrupt.cancel();
        outcome
    };
    let spin = bench.interruptible(job("probe", r#"{"do":"spin"}"#), &host, interrupt.clone());
    let (report, outcome) = tokio::join!(spin, others);
    assert_eq!(report.outcome, AttemptOutcome::Interrupted);
    assert_eq!(output(&outcome), "{}");
}

#[tokio::test]
async fn a_store_that_fails_is_the_hosts_fault_though_the_guest_was_ended_by_it() {
    let bench = Bench::with(&["probe"]).await;
    let host = Arc::new(Recorder::broken());
    let report = bench.attempt(job("probe", r#"{"do":"checkpoint","value":1}"#), &host).await;
    assert_eq!(report.outcome, AttemptOutcome::HostFault("the database is gone".to_owned()));
}

#[tokio::test]
async fn a_pool_without_a_free_instance_is_the_hosts_fault() {
    let bench = Bench::bounded(|settings| settings.slots = 0);
    bench.put("probe.wasm", &guest_bytes("probe"));
    bench.runtime.load_all().await;
    // No slot, and room for two loaders: the third instance finds none.
    let interrupt = CancellationToken::new();
    let (first, second) = (Arc::new(Recorder::default()), Arc::new(Recorder::default()));
    let third = async {
        first.started().await;
        second.started().await;
        let (outcome, _) = bench.run("probe", r#"{"do":"context"}"#).await;
        interrupt.cancel();
        outcome
    };
    let busy = |host| bench.interruptible(job("probe", r#"{"do":"ignore_cancel"}"#), host, interrupt.clone());
    let (_, _, outcome) = tokio::join!(busy(&first), busy(&second), third);
    assert!(matches!(&outcome, AttemptOutcome::HostFault(why) if why.contains("limit of 2")), "{outcome:?}");
}

#[tokio::test]
async fn an_attempt_that_is_dropped_stops_its_guest() {
    let bench = Bench::bounded(|settings| settings.slots = 0);
    bench.put("probe.wasm", &guest_bytes("probe"));
    bench.runtime.load_all().await;
    for _ in 0..5 {
        let host = Arc::new(Recorder::default());
        tokio::select! {
            _ = bench.attempt(job("probe", r#"{"do":"ignore_cancel"}"#), &host) => panic!("it never ends"),
            () = host.started() => {}
        }
    }
    // Five were started where two fit, so the dropped ones are gone; the last may need a moment.
    loop {
        match bench.run("probe", r#"{"do":"ok","value":1}"#).await.0 {
            AttemptOutcome::HostFault(why) if why.contains("concurrent limit") => tokio::task::yield_now().await,
            outcome => break assert_eq!(output(&outcome), "1"),
        }
    }
}
