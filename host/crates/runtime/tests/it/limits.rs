//! What one attempt may use.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use windlass_model::{AttemptOutcome, Bill, ErrorKind, LogStream};
use windlass_runtime::Limits;

use crate::bench::{Bench, Recorder, failed, guest_bytes, job, output};

async fn probe_with(set: impl FnOnce(&mut Limits)) -> Bench {
    let bench = Bench::bounded(|settings| set(&mut settings.limits));
    bench.put("probe.toml", b"enqueue = ['probe']");
    bench.put("probe.wasm", &guest_bytes("probe"));
    bench.runtime.load_all().await;
    bench
}

/// The probe with a grants file. It can enqueue jobs, so the file says of what.
async fn probe_granted(grants: &str) -> Bench {
    let bench = Bench::bounded(|_| {});
    bench.put("probe.toml", format!("enqueue = ['probe']\n{grants}").as_bytes());
    bench.put("probe.wasm", &guest_bytes("probe"));
    bench.runtime.load_all().await;
    bench
}

async fn bill(bench: &Bench, args: &str) -> Bill {
    bench.attempt(job("probe", args), &Arc::default()).await.bill.expect("it has a bill")
}

#[tokio::test]
async fn a_guest_that_eats_memory_is_told_as_out_of_memory() {
    let bench = probe_with(|limits| limits.memory_bytes = 16 << 20).await;
    let (outcome, _) = bench.run("probe", r#"{"do":"eat_memory"}"#).await;
    let message = failed(outcome, ErrorKind::OutOfMemory);
    let told = "it wanted more memory than its limit of 16 MiB: raise `limits.memory_bytes` in probe.toml";
    assert!(message.starts_with(told), "{message}");
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
async fn an_output_larger_than_a_call_may_carry_is_told_as_that() {
    let bench = probe_with(|limits| limits.hostcall_bytes = 2 << 20).await;
    let (outcome, _) = bench.run("probe", r#"{"do":"big_output","bytes":8000000}"#).await;
    let message = failed(outcome, ErrorKind::HostcallTooLarge);
    let told = "it handed more to the host in one call than its limit of 2 MiB: raise `limits.hostcall_bytes`";
    assert!(message.starts_with(told), "{message}");
}

#[tokio::test]
async fn a_guest_that_computes_for_too_long_is_ended_and_one_that_sleeps_is_not() {
    let bench = probe_granted("[limits]\ncpu_ms = 50").await;
    let (outcome, _) = bench.run("probe", r#"{"do":"sleep","ms":200}"#).await;
    assert_eq!(output(&outcome), "null");
    let report = bench.attempt(job("probe", r#"{"do":"spin"}"#), &Arc::default()).await;
    assert_eq!(
        failed(report.outcome, ErrorKind::CpuTime),
        "it computed for longer than its limit of 50 ms: raise `limits.cpu_ms` in probe.toml"
    );
    let spent = Duration::from_micros(report.bill.unwrap().cpu_us);
    assert!(spent > Duration::from_millis(50) && spent < Duration::from_millis(500), "{spent:?}");
}

#[tokio::test]
async fn fuel_is_counted_where_the_operator_asked_for_it_and_refused_elsewhere() {
    let grants = b"enqueue = []\n[limits]\nfuel = 50000000";
    let bench = Bench::bounded(|settings| settings.fuel = true);
    bench.put("probe.toml", grants);
    bench.put("probe.wasm", &guest_bytes("probe"));
    bench.runtime.load_all().await;
    let (outcome, _) = bench.run("probe", r#"{"do":"ok","value":1}"#).await;
    assert_eq!(output(&outcome), "1");
    let (outcome, _) = bench.run("probe", r#"{"do":"spin"}"#).await;
    assert_eq!(
        failed(outcome, ErrorKind::OutOfFuel),
        "it used up its limit of 50000000 units of fuel: raise `limits.fuel` in probe.toml"
    );
    let bench = probe_granted("[limits]\nfuel = 50000000").await;
    let error = bench.load_error("probe");
    assert!(
        error.ends_with(
            "`limits.fuel`: this daemon does not count fuel: let the operator set `fuel = true` in windlass.toml"
        ),
        "{error}"
    );
}

#[tokio::test]
async fn the_time_of_a_plugin_caps_what_its_job_asks_for() {
    let bench = probe_granted("[limits]\ntimeout_ms = 100").await;
    let mut job = job("probe", r#"{"do":"sleep","ms":600000}"#);
    job.timeout = Some(Duration::from_secs(60));
    let report = bench.attempt(job, &Arc::default()).await;
    assert_eq!(
        failed(report.outcome, ErrorKind::Timeout),
        "took longer than 100 ms, the most that `limits.timeout_ms` in probe.toml allows; its job asked for 1 min"
    );
}

#[tokio::test]
async fn a_guest_that_holds_too_many_handles_is_told_as_that() {
    let bench = probe_granted("[limits]\nhandles = 50").await;
    let (outcome, _) = bench.run("probe", r#"{"do":"open","path":"/tmp/a","times":20}"#).await;
    assert_eq!(output(&outcome), r#"{"open":20}"#);
    let (outcome, _) = bench.run("probe", r#"{"do":"open","path":"/tmp/a","times":1000}"#).await;
    let message = failed(outcome, ErrorKind::TooManyHandles);
    let told = "it held more handles at once than its limit of 50: raise `limits.handles` in probe.toml";
    assert!(message.starts_with(told), "{message}");
}

#[tokio::test]
async fn a_plugin_above_the_ceiling_does_not_load() {
    let bench = Bench::bounded(|settings| settings.ceiling.memory_bytes = 1 << 20);
    bench.put("probe.toml", b"[limits]\nmemory_bytes = 2097152\nhandles = 1");
    bench.put("probe.wasm", &guest_bytes("probe"));
    bench.runtime.load_all().await;
    let error = bench.load_error("probe");
    assert!(error.contains("`limits.handles`: 1 is not between 16 and 1000000; `limits.memory_bytes`: 2097152 is above the ceiling of 1048576: ask for less, or let the operator raise `memory_bytes` under [limits.max] in windlass.toml"), "{error}");
}

#[tokio::test]
async fn the_limits_of_a_task_are_shown() {
    let bench = probe_granted("[limits]\ncpu_ms = 50\nconcurrency = 2").await;
    let shown: serde_json::Value =
        serde_json::from_str(bench.info("probe").unwrap().version.unwrap().limits.as_str()).unwrap();
    assert_eq!((&shown["cpu_ms"], &shown["concurrency"]), (&50.into(), &2.into()));
    assert_eq!((&shown["fuel"], &shown["handles"]), (&serde_json::Value::Null, &1_000.into()));
}

#[tokio::test]
async fn a_checkpoint_that_is_too_large_is_a_trap_that_says_so() {
    let bench = probe_with(|limits| limits.checkpoint_bytes = 1_000).await;
    let args = format!(r#"{{"do":"checkpoint","value":"{}"}}"#, "x".repeat(999));
    let (outcome, _) = bench.run("probe", &args).await;
    let message = failed(outcome, ErrorKind::Trap);
    assert!(message.starts_with("a checkpoint of 1001 B was saved, at most 1000 B are kept"), "{message}");
}

/// How many files were written, and what came of the next.
fn filled(outcome: &AttemptOutcome) -> (u64, String) {
    let output: serde_json::Value = serde_json::from_str(output(outcome)).unwrap();
    (output["files"].as_u64().unwrap(), output["error"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn what_does_not_fit_into_a_directory_is_refused_while_it_is_written() {
    let bench = probe_granted("[limits]\nartifact_files = 3\nscratch_bytes = 65536").await;
    let fill = |folder: &str, bytes: u32, panics: bool| {
        format!(r#"{{"do":"fill","folder":"{folder}","files":50,"bytes":{bytes},"panics":{panics}}}"#)
    };
    // A guest that bears it ends well.
    let (outcome, _) = bench.run("probe", &fill("/out", 1, false)).await;
    assert_eq!(filled(&outcome), (3, "no storage space".to_owned()));
    let (outcome, _) = bench.run("probe", &fill("/tmp", 12_288, false)).await;
    assert_eq!(filled(&outcome), (4, "no storage space".to_owned()));
    // One that breaks broke because of it.
    let (outcome, _) = bench.run("probe", &fill("/out", 1, true)).await;
    let message = failed(outcome, ErrorKind::ArtifactsTooLarge);
    let told = "it wanted more files in /out than its limit of 3: raise `limits.artifact_files` in probe.toml";
    assert!(message.starts_with(told), "{message}");
    let (outcome, _) = bench.run("probe", &fill("/tmp", 12_288, true)).await;
    let message = failed(outcome, ErrorKind::ScratchFull);
    let told = "it wanted more in /tmp than its limit of 64 KiB: raise `limits.scratch_bytes` in probe.toml";
    assert!(message.starts_with(told), "{message}");
}

#[tokio::test]
async fn the_bytes_of_out_are_bounded_while_they_are_written() {
    let bench = probe_with(|limits| limits.artifact_bytes = 5).await;
    let (outcome, _) = bench.run("probe", r#"{"do":"write_out","files":{"a":"123","b":"456"}}"#).await;
    // What it returns is its word. (Its library tells any failed stream as an I/O error.)
    failed(outcome, ErrorKind::Retryable);
    let (outcome, _) = bench.run("probe", r#"{"do":"fill","folder":"/out","files":2,"bytes":3,"panics":true}"#).await;
    failed(outcome, ErrorKind::ArtifactsTooLarge);
}

#[tokio::test]
async fn files_that_are_removed_while_they_are_open_count() {
    let bench = probe_granted("[limits]\nscratch_bytes = 65536").await;
    let (outcome, _) = bench.run("probe", r#"{"do":"fill_removed","path":"/tmp/a","bytes":20000,"times":10}"#).await;
    assert_eq!(output(&outcome), r#"{"files":3}"#);
}

#[tokio::test]
async fn the_quota_of_a_granted_directory_holds_over_attempts() {
    let bench = Bench::bounded(|_| {});
    std::fs::create_dir(bench.path("data").join("in")).unwrap();
    bench
        .put("probe.toml", b"enqueue = []\n[[directory]]\nhost = 'in'\nguest = '/data'\nmode = 'write'\nbytes = 65536");
    bench.put("probe.wasm", &guest_bytes("probe"));
    bench.runtime.load_all().await;
    let fill = r#"{"do":"fill","folder":"/data","files":50,"bytes":12288,"panics":true}"#;
    let (outcome, _) = bench.run("probe", fill).await;
    let message = failed(outcome, ErrorKind::ScratchFull);
    assert!(message.contains("raise `bytes` of the directory in probe.toml"), "{message}");
    let (outcome, _) = bench.run("probe", r#"{"do":"write","path":"/data/more","content":"x"}"#).await;
    assert_eq!(output(&outcome), r#"{"written":false}"#);
    // A way around it by way of the scratch directory, which has an account of its own.
    for links in [true, false] {
        let args = format!(r#"{{"do":"relocate","from":"/data/0","to":"/tmp/0","links":{links}}}"#);
        let (outcome, _) = bench.run("probe", &args).await;
        assert_eq!(output(&outcome), r#"{"done":false}"#);
    }
}

#[tokio::test]
async fn a_file_can_be_moved_within_a_directory_and_from_tmp_to_out() {
    let bench = Bench::with(&["probe"]).await;
    let job = job("probe", r#"{"do":"write","path":"/tmp/a","content":"x"}"#);
    let id = job.id;
    bench.attempt(job, &Arc::default()).await;
    for (from, to) in [("/tmp/a", "/tmp/b"), ("/tmp/b", "/out/c")] {
        let mut next =
            crate::bench::job("probe", &format!(r#"{{"do":"relocate","from":"{from}","to":"{to}","links":false}}"#));
        next.id = id;
        let report = bench.attempt(next, &Arc::default()).await;
        assert_eq!(output(&report.outcome), r#"{"done":true}"#, "{to}");
    }
}

#[tokio::test]
async fn a_folder_of_many_files_is_listed_whole() {
    let bench = Bench::with(&["probe"]).await;
    let job = job("probe", r#"{"do":"fill","folder":"/tmp","files":500,"bytes":0,"panics":true}"#);
    let id = job.id;
    output(&bench.attempt(job, &Arc::default()).await.outcome);
    let mut next = crate::bench::job("probe", r#"{"do":"list","folder":"/tmp"}"#);
    next.id = id;
    let report = bench.attempt(next, &Arc::default()).await;
    assert_eq!(output(&report.outcome), r#"{"count":500,"first":"0"}"#);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_pipe_in_a_granted_directory_cannot_be_opened() {
    let bench = Bench::bounded(|_| {});
    let folder = bench.path("data").join("in");
    std::fs::create_dir(&folder).unwrap();
    let made = std::process::Command::new("mkfifo").arg(folder.join("pipe")).status().unwrap();
    assert!(made.success());
    bench.put("probe.toml", b"enqueue = []\n[[directory]]\nhost = 'in'\nguest = '/data'\nmode = 'write'");
    bench.put("probe.wasm", &guest_bytes("probe"));
    bench.runtime.load_all().await;
    let (outcome, _) = bench.run("probe", r#"{"do":"read","path":"/data/pipe"}"#).await;
    failed(outcome, ErrorKind::Retryable);
    let (outcome, _) = bench.run("probe", r#"{"do":"write","path":"/data/pipe","content":"x"}"#).await;
    assert_eq!(output(&outcome), r#"{"written":false}"#);
}

#[tokio::test]
async fn too_many_enqueues_are_refused_with_the_remedy() {
    let bench = probe_granted("[limits]\nenqueues = 1").await;
    let args = r#"{"do":"enqueue","requests":[{"task":"probe"},{"task":"probe"}],"until":0}"#;
    let (outcome, _) = bench.run("probe", args).await;
    let answers = output(&outcome);
    assert!(
        answers.contains("an attempt may enqueue 1 jobs, and this one has: raise `limits.enqueues` in probe.toml"),
        "{answers}"
    );
}

#[tokio::test]
async fn a_hundred_thousand_reports_and_lines_are_thinned_with_a_visible_mark() {
    let bench = probe_granted("[limits]\nprogress_per_second = 10\nlog_lines_per_second = 10").await;
    let host = Arc::new(Recorder::default());
    let report = bench.attempt(job("probe", r#"{"do":"report","times":100000}"#), &host).await;
    output(&report.outcome);
    let reports = host.reports();
    assert!(reports.len() < 5_000, "{}", reports.len());
    assert_eq!(reports.last().unwrap().task_step, Some(100_000));
    assert!(host.lines().iter().any(|(stream, line)| {
        *stream == LogStream::Host && line.ends_with("were merged with later ones: more than 10 a second.")
    }));
    let report = bench.attempt(job("probe", r#"{"do":"print","lines":100000,"length":1}"#), &host).await;
    output(&report.outcome);
    assert_eq!(report.bill.unwrap().log_lines, 100_000);
    let lines = host.lines();
    assert!(lines.len() < 5_000, "{}", lines.len());
    let mark =
        |line: &str| line.starts_with("… ") && line.ends_with(" lines were dropped here: more than 10 a second.");
    assert!(lines.iter().any(|(stream, line)| *stream == LogStream::Host && mark(line)));
}

#[tokio::test]
async fn a_bill_says_what_an_attempt_used_however_it_ended() {
    let bench = Bench::with(&["probe"]).await;
    let written = bill(&bench, r#"{"do":"fill","folder":"/tmp","files":3,"bytes":1000,"panics":false}"#).await;
    assert_eq!((written.written_bytes, written.read_bytes, written.log_lines), (3_000, 0, 0));
    assert!(written.instantiate_us > 0 && written.cpu_us > 0 && written.peak_memory_bytes >= 1 << 20, "{written:?}");
    assert!(written.host_calls >= 9 && written.host_calls < 1_000, "{written:?}");
    let failed = bill(&bench, r#"{"do":"panic","message":"no"}"#).await;
    assert!(failed.log_lines > 0 && failed.cpu_us > 0, "{failed:?}");
    let mut late = job("probe", r#"{"do":"spin"}"#);
    late.timeout = Some(Duration::from_millis(100));
    let late = bench.attempt(late, &Arc::default()).await;
    assert!(matches!(late.outcome, AttemptOutcome::Failed(_)));
    // On a busy machine most of the time is others'.
    assert!(late.bill.unwrap().cpu_us > 1_000, "{:?}", late.bill);
    let nobody = bench.attempt(job("nobody", "{}"), &Arc::default()).await;
    assert_eq!(nobody.bill, None);
}

/// The threads of this process. Tests of one binary run in processes of their own.
#[cfg(target_os = "linux")]
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn guests_that_are_interrupted_again_and_again_leave_no_thread_and_no_instance_behind() {
    let bench = Bench::with(&["probe"]).await;
    let busy = [
        r#"{"do":"spin"}"#,
        r#"{"do":"ignore_cancel"}"#,
        r#"{"do":"sleep","ms":600000}"#,
        r#"{"do":"print","lines":4000000000,"length":10}"#,
        r#"{"do":"fill","folder":"/tmp","files":4000000000,"bytes":0,"panics":false}"#,
        r#"{"do":"report","times":4000000000}"#,
    ];
    let mut before = 0;
    for round in 0..120 {
        // More at once than there are instances would be refused: see the pool's own test.
        let ends = busy.iter().take(4).enumerate().map(|(n, _)| {
            let args = busy[(round + n) % busy.len()];
            let interrupt = CancellationToken::new();
            let stop = interrupt.clone();
            let bench = &bench;
            async move {
                let host = Arc::new(Recorder::default());
                let later = async move {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    stop.cancel();
                };
                let (report, ()) = tokio::join!(bench.interruptible(job("probe", args), &host, interrupt), later);
                assert_eq!(report.outcome, AttemptOutcome::Interrupted, "{args}");
                assert!(report.bill.is_some());
            }
        });
        futures_util::future::join_all(ends).await;
        if round == 20 {
            before = threads();
        }
    }
    // Threads for blocking work come and go as they are needed; each of four attempts has one at most.
    assert!(threads() <= before + 8, "{} threads, {before} before", threads());
    let (outcome, _) = bench.run("probe", r#"{"do":"ok","value":1}"#).await;
    assert_eq!(output(&outcome), "1");
}
