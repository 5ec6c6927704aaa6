//! `windlass bench`: what it measures is not for a test, but that it measures real jobs, says under which conditions, and believes the
//! database alone.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use windlass_test_cluster::Database;

use crate::command_line::text;
use crate::daemon::{binary, guest};

fn bench(args: &[&str]) -> Output {
    // Before the `--` that flags of the daemon may stand behind.
    Command::new(binary()).arg("bench").args(args).output().unwrap()
}

/// Measures, and returns the report.
fn report(args: &[&str]) -> Value {
    let output = bench(&[args, &["--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}{}", text(&output.stdout), text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON object and nothing else");
    assert_eq!((&report["verified"], &report["faults"]), (&json!(true), &json!([])), "{report}");
    report
}

fn positive(report: &Value, names: &[&str]) {
    for name in names {
        assert!(report[name].as_f64().is_some_and(|value| value > 0.0), "{name}: {report}");
    }
}

#[tokio::test]
async fn a_drain_says_how_quick_it_was_and_under_which_conditions() {
    let report = report(&["drain", "--jobs", "300", "--runs", "2", "--slots", "3", "--plugins", "4"]);
    positive(
        &report,
        &["jobs_per_second", "p50_ms", "p99_ms", "daemon_start_ms", "daemon_cpu_us_per_job", "daemon_peak_rss_mib"],
    );
    assert_eq!((&report["scenario"], &report["jobs"]), (&json!("drain"), &json!(300)));
    let runs = report["runs"].as_array().unwrap();
    assert!(runs.len() == 2 && runs.iter().all(|run| run["shares"] == json!([300])), "{report}");
    let rates = &report["spread"]["jobs_per_second"];
    assert!(rates["min"].as_f64() <= rates["median"].as_f64() && rates["median"].as_f64() <= rates["max"].as_f64());
    let conditions = &report["conditions"];
    assert_eq!((&conditions["database"]["kind"], &conditions["slots"]), (&json!("sqlite"), &json!(3)));
    assert_eq!(conditions["plugins"], 4);
    assert_eq!(conditions["database"]["settings"]["synchronous"], "2", "as the database says it: FULL");
    assert_eq!(conditions["handler"]["name"], "noop");
    assert_eq!(conditions["handler"]["bytes"], std::fs::metadata(guest("noop")).unwrap().len());
    assert!(conditions["machine"]["processors"].as_u64() > Some(0) && conditions["machine"]["kernel"].is_string());
}

#[tokio::test]
async fn jobs_that_were_there_before_and_jobs_that_wait_are_told_apart_from_those_that_are_measured() {
    let report = report(&["drain", "--jobs", "50", "--finished", "120", "--backlog", "70"]);
    assert_eq!((&report["jobs"], &report["runs"][0]["shares"]), (&json!(50), &json!([50])));
    assert_eq!((&report["conditions"]["finished_before"], &report["conditions"]["backlog"]), (&json!(120), &json!(70)));
}

#[tokio::test]
async fn jobs_are_sent_one_by_one_or_in_batches_of_which_the_last_may_be_smaller() {
    for batch in ["1", "100"] {
        let report = report(&["end-to-end", "--jobs", "250", "--connections", "8", "--batch", batch]);
        positive(&report, &["acknowledged_per_second", "completed_per_second", "post_p50_ms", "post_p99_ms"]);
        assert_eq!(report["runs"][0]["jobs"], 250);
    }
}

#[tokio::test]
async fn latency_is_measured_idle_and_beside_a_load() {
    let report = report(&["latency", "--jobs", "20", "--connections", "4", "--rate", "50"]);
    positive(&report, &["p50_ms", "p99_ms", "half_load_p50_ms", "half_load_p99_ms", "half_load_per_second"]);
    // Those that warm it up, twice those that are measured, and those of the load.
    assert!(report["runs"][0]["jobs"].as_u64() > Some(90), "{report}");
}

#[tokio::test]
async fn a_soak_tells_of_each_part_of_its_time() {
    let report = report(&["soak", "--seconds", "5", "--connections", "4", "--rate", "40"]);
    let run = &report["runs"][0];
    let parts = run["parts"].as_array().unwrap();
    assert!(parts.len() == 5 && run["declined"].is_boolean(), "{report}");
    assert!(parts.iter().all(|part| part["rss_mib"].as_f64() > Some(0.0)), "{report}");
    assert!(parts.iter().any(|part| part["completed_per_second"].as_f64() > Some(0.0)), "{report}");
}

#[tokio::test]
async fn daemons_on_one_server_share_the_jobs_in_a_database_that_is_dropped_afterwards() {
    let database = Database::create().await.unwrap();
    let flags = ["--daemons", "2", "--runs", "2", "--finished", "30", "--database-url", &database.url()];
    let report = report(&[&["drain", "--jobs", "400"], &flags[..]].concat());
    for run in report["runs"].as_array().unwrap() {
        let shares: Vec<_> = run["shares"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
        assert_eq!(shares.iter().sum::<u64>(), 400, "{report}");
        let least = if shares.len() == 2 { shares[1] as f64 / 200.0 } else { 0.0 };
        assert_eq!(run["least_of_a_fair_share"], least, "{report}");
    }
    let settings = &report["conditions"]["database"]["settings"];
    assert!(settings["fsync"].is_string() && settings["synchronous_commit"] == "on", "{settings}");
    let mut connection = database.connect().await.unwrap();
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_database WHERE datname LIKE 'windlass_scratch_%'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn jobs_that_do_not_complete_are_named_and_the_exit_code_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let plugin = folder.path().join("probe.wasm");
    std::fs::copy(guest("probe"), &plugin).unwrap();
    std::fs::write(folder.path().join("probe.toml"), "enqueue = []").unwrap();
    let args = r#"{"do":"fatal","message":"no"}"#;
    let output = bench(&["drain", "--jobs", "20", "--json", "--args", args, "--plugin", plugin.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["verified"], false);
    let fault = report["faults"][0].as_str().unwrap();
    assert!(fault.starts_with("20 jobs are discarded and not completed, such as "), "{fault}");
}

#[tokio::test]
async fn what_cannot_be_measured_is_refused_by_name() {
    let cases: [(&[&str], &str); 9] = [
        (&["drain", "--jobs", "0"], "--jobs: 0 measures nothing: give 1 or more"),
        (&["drain", "--runs", "0"], "--runs: 0 measures nothing"),
        (&["end-to-end", "--batch", "10001"], "--batch: 10001 is more than a request takes, 10000"),
        (&["drain", "--daemons", "2"], "--daemons: a SQLite file has one daemon"),
        (&["drain", "--args", "{"], "--args: it is not JSON"),
        (&["drain", "--args", "{}"], "--args: noop takes its own arguments"),
        (&["drain", "--database-url", "mysql://u:secret@h/d"], "--database-url: "),
        (&["drain", "--plugin", "no/such.wasm"], "cannot read no/such.wasm"),
        (&["drain", "--jobs", "1", "--", "--slots", "0"], "the daemon did not start"),
    ];
    for (args, fault) in cases {
        let output = bench(args);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains(fault) && !said.contains("secret"), "{args:?}: {said}");
        assert!(output.stdout.is_empty(), "{args:?}");
    }
}

#[tokio::test]
async fn a_measurement_that_is_broken_off_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = Command::new(binary())
        .args(["bench", "drain", "--jobs", "1000000", "--dir", folder.path().to_str().unwrap()])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(bench.stderr.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.contains("1000000 jobs are enqueued"), "{line}");
    assert!(Command::new("kill").args(["-INT", &bench.id().to_string()]).status().unwrap().success());
    assert_eq!(bench.wait().unwrap().code(), Some(130));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let here = folder.path().to_str().unwrap().to_owned();
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let commands = processes.filter_map(|process| std::fs::read_to_string(process.path().join("cmdline")).ok());
    assert_eq!(commands.filter(|command| command.contains(&here)).count(), 0, "a daemon goes on");
}
