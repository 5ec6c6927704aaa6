//! `windlass check`: says what would happen, and changes nothing.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use windlass_test_cluster::{Cluster, Database};

use crate::command_line::{text, windlass};
use crate::daemon::Daemon;

/// Checks, and returns the exit code and what was found.
pub(crate) fn check(data_dir: &Path, flags: &[&str]) -> (Option<i32>, Value) {
    let output = windlass(&[&["check", "--json", "--data-dir", data_dir.to_str().unwrap()], flags].concat());
    let answer = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    (output.status.code(), answer)
}

/// Level and text of what was found of a subject.
pub(crate) fn found<'a>(answer: &'a Value, subject: &str) -> (&'a str, &'a str) {
    let findings = answer["findings"].as_array().unwrap();
    let finding = findings.iter().find(|finding| finding["subject"] == subject).unwrap_or_else(|| panic!("{answer}"));
    (finding["level"].as_str().unwrap(), finding["text"].as_str().unwrap())
}

/// Every file below a folder, with what is in it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        let name = path.display().to_string();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => drop(all.insert(name, std::fs::read(&path).unwrap())),
        }
    }
    all
}

#[test]
fn a_plugin_that_does_not_load_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let plugins = folder.path().join("plugins");
    std::fs::create_dir_all(&plugins).unwrap();
    std::fs::write(plugins.join("broken.wasm"), "not a component").unwrap();
    let check = windlass(&["check", "--data-dir", folder.path().to_str().unwrap()]);
    assert_eq!(check.status.code(), Some(1));
    assert!(text(&check.stdout).contains("FAULT plugin broken"), "{}", text(&check.stdout));
}

#[test]
fn before_the_first_start_everything_will_be_made_and_nothing_is() {
    let folder = tempfile::tempdir().unwrap();
    let (code, answer) = check(&folder.path().join("data"), &[]);
    assert_eq!((code, &answer["is_fine"]), (Some(0), &json!(true)), "{answer}");
    for subject in ["data directory", "database", "plugins"] {
        let (level, said) = found(&answer, subject);
        assert!(level == "ok" && said.ends_with(" will be made"), "{answer}");
    }
    found(&answer, "disk");
    assert_eq!(files(folder.path()), BTreeMap::new());
}

#[tokio::test]
async fn a_daemon_that_runs_is_no_fault_and_is_left_alone() {
    let daemon = Daemon::start().await;
    let id = daemon.enqueue(json!({ "do": "wait_file", "path": "/data/go" })).await;
    daemon.until(&id, |job| job["task_step"] == 1).await;
    let (code, answer) = check(daemon.path(), &[]);
    assert_eq!(code, Some(0), "{answer}");
    let (level, said) = found(&answer, "data directory");
    assert!(level == "ok" && said.ends_with(": a daemon is running on it"), "{answer}");
    assert_eq!(found(&answer, "database journal"), ("ok", "wal"));
    assert_eq!(found(&answer, "schema"), ("ok", "version 6, as it should be"));
    std::fs::write(daemon.path().join("shared/go"), "").unwrap();
    assert_eq!(daemon.finished(&id).await["state"], "completed");
    assert!(!daemon.path().join("cache").exists());
}

#[tokio::test]
async fn a_file_of_an_older_or_a_newer_windlass_is_told_and_not_changed() {
    let mut daemon = Daemon::start().await;
    assert!(daemon.stop());
    let file = daemon.path().join("windlass.db");
    for (sql, level, code) in [
        ("DELETE FROM _sqlx_migrations WHERE version > 1", "warning", 0),
        ("UPDATE _sqlx_migrations SET version = 99", "fault", 1),
    ] {
        tamper(&file, sql).await;
        let before = std::fs::read(&file).unwrap();
        let (found_code, answer) = check(daemon.path(), &[]);
        assert_eq!((found_code, found(&answer, "schema").0), (Some(code), level), "{answer}");
        assert_eq!(std::fs::read(&file).unwrap(), before);
    }
    std::fs::write(&file, "no database at all, whatever its name says").unwrap();
    let (code, answer) = check(daemon.path(), &[]);
    assert_eq!((code, found(&answer, "database").0), (Some(1), "fault"), "{answer}");
}

async fn tamper(file: &Path, sql: &'static str) {
    use sqlx::{ConnectOptions as _, Connection as _};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut connection = options.connect().await.unwrap();
    sqlx::query(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_server_is_examined_before_and_after_the_first_start() {
    let database = Database::create().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (url, data) = (database.url(), folder.path().join("data"));
    let (_, answer) = check(&data, &["--database-url", &url]);
    assert_eq!(found(&answer, "schema"), ("ok", "will be made"));
    assert!(found(&answer, "database").1.starts_with("PostgreSQL "), "{answer}");
    assert_eq!(found(&answer, "clock"), ("ok", "the database and this host agree"));
    let mut connection = database.connect().await.unwrap();
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(sqlx::query_scalar::<_, i64>(tables).fetch_one(&mut connection).await.unwrap(), 0);

    let daemon = Daemon::start_on(&database, &[]).await;
    let (_, answer) = check(daemon.path(), &["--database-url", &url]);
    assert_eq!(found(&answer, "schema"), ("ok", "version 6, as it should be"));
    database.run("UPDATE _sqlx_migrations SET version = 99 WHERE version = 6").await.unwrap();
    let (code, answer) = check(&data, &["--database-url", &url]);
    assert_eq!((code, found(&answer, "schema").0), (Some(1), "fault"), "{answer}");
}

#[tokio::test]
async fn a_server_that_breaks_promises_is_a_fault_and_each_is_named() {
    let cluster = Cluster::start(&["full_page_writes=off", "max_connections=12", "autovacuum=off"]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = cluster.url("postgres");
    let (code, answer) = check(&folder.path().join("data"), &["--database-url", &url]);
    assert_eq!(code, Some(1), "{answer}");
    let all = answer["findings"].to_string();
    for said in ["fsync is off", "full_page_writes is off", "autovacuum is off", "takes at most 10; of 9 that"] {
        assert!(all.contains(said), "{said}: {answer}");
    }
    drop(cluster);

    let cluster = Cluster::start(&["fsync=on", "synchronous_commit=off"]).unwrap();
    let url = cluster.url("postgres");
    // The daemon sets it on its own connections.
    let (code, answer) = check(&folder.path().join("data"), &["--database-url", &url]);
    assert_eq!((code, found(&answer, "database settings").0), (Some(0), "ok"), "{answer}");
    // Behind a pooler it cannot.
    let (code, answer) = check(&folder.path().join("data"), &["--database-url", &url, "--database-poll-only"]);
    assert_eq!(code, Some(1), "{answer}");
    assert!(found(&answer, "database settings").1.starts_with("synchronous_commit is off: "), "{answer}");
}

#[test]
fn a_server_that_does_not_answer_is_a_fault_without_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let (code, answer) = check(folder.path(), &["--database-url", "postgres://u:secret@127.0.0.1:1/x"]);
    assert_eq!((code, found(&answer, "database").0), (Some(1), "fault"));
    assert!(!answer.to_string().contains("secret"), "{answer}");
}
