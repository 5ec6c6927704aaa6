//! A database that cannot be used: one clear sentence on standard error, exit code 1, and nothing is damaged.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use windlass_test_cluster::{Database, old_server};

use crate::daemon::{Daemon, binary};

fn command(binary: &Path, folder: &Path, url: &str) -> Command {
    let mut command = Command::new(binary);
    command.args(["serve", "--listen", "127.0.0.1:0", "--log", "info,sqlx=trace", "--data-dir"]);
    command.arg(folder.join("data")).env("WINDLASS_DATABASE_URL", url);
    command
}

fn start(url: &str) -> Output {
    let folder = tempfile::tempdir().unwrap();
    command(&binary(), folder.path(), url).output().unwrap()
}

/// What it said on standard error besides its log: `windlass: …`, then each cause.
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    let start = said.find("windlass: ").unwrap_or_else(|| panic!("it gives no reason: {said}"));
    said[start..].to_owned()
}

#[test]
fn a_server_that_does_not_answer_is_named_without_the_password() {
    let output = start("postgres://u:secret@127.0.0.1:1/x");
    let said = refused(&output);
    assert!(said.starts_with("windlass: cannot connect to PostgreSQL at 127.0.0.1:1/x: does it run,"), "{said}");
    assert!(said.contains("because: ") && said.contains("refused"), "{said}");
    assert!(!format!("{output:?}").contains("secret"), "{output:?}");
}

#[test]
fn a_url_with_a_fault_is_not_repeated() {
    for url in
        ["postgres://u:secret@127.0.0.1:1/x?pasword=secret", "postgres://u:sec/ret@127.0.0.1:1/x", "oracle://secret"]
    {
        let output = start(url);
        assert!(refused(&output).contains("database_url: it "), "{output:?}");
        let all = format!("{output:?}");
        assert!(!all.contains("secret") && !all.contains("sec/ret"), "{all}");
    }
}

#[test]
fn a_server_that_is_too_old_is_named_with_its_version() {
    let address = old_server().unwrap();
    let said = refused(&start(&format!("postgres://u@{address}/x?sslmode=disable")));
    assert_eq!(said, format!("windlass: PostgreSQL at {address}/x has version 14.9: Windlass needs 15 or later\n"));
}

#[tokio::test]
async fn a_database_of_a_newer_windlass_stays_as_it_is() {
    let database = Database::create().await.unwrap();
    assert!(Daemon::start_on(&database, &[]).await.stop());
    database
        .run("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (99, 'new', true, '', 0)")
        .await
        .unwrap();
    let said = refused(&start(&database.url()));
    assert!(
        said.contains("was written by a newer Windlass (schema 99): use that version, or another database\n"),
        "{said}"
    );
    let mut connection = database.connect().await.unwrap();
    let workers: i64 = sqlx::query_scalar("SELECT count(*) FROM workers").fetch_one(&mut connection).await.unwrap();
    assert_eq!(workers, 0);
}

#[tokio::test]
async fn a_file_that_another_daemon_uses_is_left_to_it() {
    let daemon = Daemon::start().await;
    let file = daemon.path().join("windlass.db");
    let link = daemon.path().join("link.db");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    for path in [file, link] {
        let said = refused(&start(&format!("sqlite:{}", path.display())));
        let expected = format!("windlass: another daemon uses the database {}: ", path.display());
        assert!(said.starts_with(&expected), "{said}");
    }
    assert_eq!(daemon.get("/healthz").await.0, 200);
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_named() {
    let mut daemon = Daemon::start().await;
    assert!(daemon.stop());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("windlass.db");
    std::fs::copy(daemon.path().join("windlass.db"), &file).unwrap();
    let before = std::fs::read(&file).unwrap();
    set_read_only(&file);
    let output = as_nobody(folder.path(), &format!("sqlite:{}", file.display()));
    let said = refused(&output);
    assert!(said.starts_with(&format!("windlass: the database {} is read-only: ", file.display())), "{said}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

fn set_read_only(path: &Path) {
    let mut permissions = std::fs::metadata(path).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(path, permissions).unwrap();
}

/// Starts the daemon as a user whom permissions bind: they do not bind root.
fn as_nobody(folder: &Path, url: &str) -> Output {
    let is_root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if !is_root {
        return command(&binary(), folder, url).output().unwrap();
    }
    const NOBODY: u32 = 65_534;
    std::os::unix::fs::chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
    // The checkout may be out of that user's reach.
    let copy: PathBuf = folder.join("windlass");
    std::fs::copy(binary(), &copy).unwrap();
    command(&copy, folder, url).uid(NOBODY).gid(NOBODY).output().unwrap()
}
