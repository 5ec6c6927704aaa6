//! The job that this kind of system was invented for: an export, from HTTP to a file.

use std::fmt::Write as _;
use std::fs;

use reqwest::Method;
use serde_json::{Value, json};

use crate::daemon::{Daemon, guest};

const GRANTS: &str = "[[directory]]\nhost = \"shared\"\nguest = \"/data\"\nmode = \"read\"\n";

async fn exporter() -> Daemon {
    let daemon = Daemon::start().await;
    fs::write(daemon.path().join("plugins/export-csv.toml"), GRANTS).unwrap();
    daemon.deploy("export-csv", &fs::read(guest("export-csv")).unwrap());
    daemon.until_at("/api/v1/tasks/export-csv", |task| !task["version"].is_null()).await;
    daemon
}

async fn export(daemon: &Daemon, args: Value) -> Value {
    let id = daemon.enqueue_job(json!({ "task": "export-csv", "max_attempts": 1, "args": args })).await;
    daemon.finished(&id).await
}

async fn download(daemon: &Daemon, job: &Value, name: &str) -> String {
    let path = format!("/api/v1/jobs/{}/artifacts/{name}", job["id"].as_str().unwrap());
    daemon.request(Method::GET, &path).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn an_export_goes_from_http_to_a_csv_with_as_many_rows_as_records() {
    let daemon = exporter().await;
    let mut lines = String::new();
    for number in 0..30_000 {
        writeln!(lines, r#"{{"id":{number},"name":"say \"{number}\"","tags":[1,2]}}"#).unwrap();
    }
    fs::write(daemon.path().join("shared/records.jsonl"), &lines).unwrap();
    let job =
        export(&daemon, json!({ "source": "records.jsonl", "columns": ["name", "id"], "file_name": "all.csv" })).await;
    assert_eq!(job["state"], "completed", "{job}");
    assert_eq!((&job["output"]["rows"], &job["output"]["file"]), (&json!(30_000), &json!("all.csv")));
    let csv = download(&daemon, &job, "all.csv").await;
    assert_eq!(csv.len() as u64, job["output"]["bytes"].as_u64().unwrap());
    let rows: Vec<_> = csv.split("\r\n").collect();
    assert_eq!((rows[0], rows[1], rows[30_000]), ("name,id", "\"say \"\"0\"\"\",0", "\"say \"\"29999\"\"\",29999"));
    assert_eq!(job["percent_complete"], 100);
}

#[tokio::test]
async fn a_fault_in_the_records_names_its_line_and_leaves_no_file() {
    let daemon = exporter().await;
    fs::write(daemon.path().join("shared/broken.jsonl"), "{\"a\":1}\n{\"a\":2}\n{\"a\":\n").unwrap();
    for (args, expected) in [
        (json!({ "source": "broken.jsonl" }), "3"),
        (json!({ "source": "missing.jsonl" }), "missing.jsonl"),
        (json!({ "source": "../windlass.db" }), "source"),
    ] {
        let job = export(&daemon, args).await;
        assert_eq!((&job["state"], &job["error"]["kind"]), (&json!("discarded"), &json!("fatal")), "{job}");
        assert!(job["error"]["message"].as_str().unwrap().contains(expected), "{job}");
        let (_, artifacts) = daemon.get(&format!("/api/v1/jobs/{}/artifacts", job["id"].as_str().unwrap())).await;
        assert_eq!(artifacts["artifacts"], json!([]));
    }
}

#[tokio::test]
async fn a_download_can_be_taken_in_parts() {
    let daemon = exporter().await;
    fs::write(daemon.path().join("shared/two.json"), r#"[{"a":1},{"a":2}]"#).unwrap();
    let job = export(&daemon, json!({ "source": "two.json", "file_name": "two.csv" })).await;
    assert_eq!(job["state"], "completed", "{job}");
    let path = format!("/api/v1/jobs/{}/artifacts/two.csv", job["id"].as_str().unwrap());
    let part = daemon.request(Method::GET, &path).header("Range", "bytes=3-5").send().await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()["content-range"], "bytes 3-5/9");
    assert_eq!(part.text().await.unwrap(), "1\r\n");
}

/// Writes so many records that an export of them takes a while.
fn many_records(daemon: &Daemon) {
    let mut lines = String::new();
    for number in 0..400_000 {
        writeln!(lines, r#"{{"id":{number},"name":"record {number}"}}"#).unwrap();
    }
    fs::write(daemon.path().join("shared/many.jsonl"), lines).unwrap();
}

#[tokio::test]
async fn an_export_whose_daemon_was_killed_goes_on_where_it_stopped() {
    let mut daemon = exporter().await;
    many_records(&daemon);
    let args = json!({ "source": "many.jsonl", "file_name": "many.csv" });
    let whole = export(&daemon, args.clone()).await;
    assert_eq!(whole["state"], "completed", "{whole}");
    let id = daemon.enqueue_job(json!({ "task": "export-csv", "args": args })).await;
    daemon.until(&id, |job| job["task_step"] == 2 && job["percent_complete"].as_u64() >= Some(30)).await;
    daemon.kill();
    daemon.start_again();
    let job = daemon.finished(&id).await;
    assert_eq!(job["state"], "completed", "{job}");
    assert_eq!(job["output"]["rows"], 400_000);
    let hash = |job: &Value| job["artifacts"][0]["sha256"].clone();
    assert_eq!(hash(&job), hash(&whole));
    // What went on did not count the records again.
    let events =
        daemon.request(Method::GET, &format!("/api/v1/jobs/{id}/events")).send().await.unwrap().text().await.unwrap();
    assert_eq!(events.matches("Counting items").count(), 1, "{events}");
    assert_eq!(events.matches("event: state").count(), 5, "{events}");
}

#[tokio::test]
async fn an_export_that_is_cancelled_leaves_no_file() {
    let daemon = exporter().await;
    many_records(&daemon);
    let id = daemon.enqueue_job(json!({ "task": "export-csv", "args": { "source": "many.jsonl" } })).await;
    daemon.until(&id, |job| job["task_step"] == 2).await;
    daemon.post(&format!("/api/v1/jobs/{id}/cancel"), &json!({})).await;
    let job = daemon.finished(&id).await;
    assert_eq!((&job["state"], &job["artifacts"]), (&json!("cancelled"), &json!([])), "{job}");
    daemon.until_gone(&format!("work/{id}")).await;
}
