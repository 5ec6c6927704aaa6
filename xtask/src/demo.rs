//! `cargo xtask demo`: from nothing to a finished export.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::shell::{cargo, output, program, root, run, target};
use crate::{dashboard, data, plugins};

/// Builds everything, exports, checks the file, and serves on unless told to end.
pub(crate) fn demo(exit: bool) -> Result<()> {
    plugins::build()?;
    let records = data::fetch()?;
    if let Err(error) = dashboard::build() {
        println!("The demo goes on without the dashboard: {error:#}");
    }
    run(cargo(&["build", "--package", "windlass"]))?;
    let dir = target().join("demo");
    let source = records.path.file_name().context("the records have no name")?.to_string_lossy().into_owned();
    fs::create_dir_all(dir.join("data"))?;
    plugins::copy(&records.path, &dir.join("data").join(&source))?;

    let mut daemon = Daemon::start(&dir)?;
    println!("\nThe daemon serves on {}\n", daemon.url);
    let args = json!({ "source": source, "columns": records.columns, "file_name": "export.csv" });
    println!("$ curl -X POST {}/api/v1/jobs -H 'content-type: application/json' \\", daemon.url);
    println!("    -d '{}'\n", json!({ "task": "export-csv", "args": args }));
    let mut enqueue = windlass(&["enqueue", "export-csv", "--json", "--url", &daemon.url, "--args"]);
    enqueue.arg(args.to_string());
    let job: Value = serde_json::from_str(&output(enqueue)?)?;
    let id = job["id"].as_str().context("the enqueue answered without an id")?.to_owned();
    println!("In a browser: {}/jobs/{id}\n", daemon.url);
    run(windlass(&["watch", &id, "--url", &daemon.url]))?;

    let (url, csv) = download(&daemon, &id, &dir)?;
    let rows = rows_of(&csv)?;
    let expected = count_of(&records.path)?;
    ensure!(rows == expected, "the CSV has {rows} rows, but the input has {expected} records");
    println!("\n{rows} rows, as many as the input has records, counted apart from the plugin.");
    println!("The file:  {}", csv.display());
    println!("Download:  {url}");
    println!("Dashboard: {}", daemon.url);
    if exit {
        return daemon.stop();
    }
    println!("\nServing until Ctrl-C. Try:  target/debug/windlass jobs list --url {}", daemon.url);
    daemon.child.wait()?;
    Ok(())
}

/// A daemon that is stopped when this is dropped.
struct Daemon {
    child: Child,
    url: String,
}

impl Daemon {
    fn start(dir: &Path) -> Result<Self> {
        let mut command = windlass(&["serve", "--listen", "127.0.0.1:0", "--plugins", "target/plugins", "--data-dir"]);
        command.arg(dir).env("WINDLASS_LOG", "warn").stdout(Stdio::piped());
        let mut child = command.spawn().context("cannot start the daemon")?;
        let mut line = String::new();
        let out = child.stdout.take().context("the daemon has no output")?;
        BufReader::new(out).read_line(&mut line)?;
        let url = line.trim().rsplit(' ').next().filter(|word| word.starts_with("http")).map(str::to_owned);
        let Some(url) = url else {
            let _ = child.kill();
            bail!("the daemon did not start; what it says stands above");
        };
        Ok(Self { child, url })
    }

    fn stop(mut self) -> Result<()> {
        run(program("kill", [self.child.id().to_string()]))?;
        let status = self.child.wait()?;
        ensure!(status.success(), "the daemon did not stop in good order: {status}");
        println!("The daemon has stopped.");
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn windlass(args: &[&str]) -> Command {
    let mut command = Command::new(target().join("debug/windlass"));
    command.args(args).current_dir(root());
    command
}

/// Gets the job's artifact as anyone would: from the URL in its JSON.
fn download(daemon: &Daemon, id: &str, dir: &Path) -> Result<(String, PathBuf)> {
    let shown = output(windlass(&["jobs", "show", id, "--json", "--url", &daemon.url]))?;
    let job: Value = serde_json::from_str(&shown)?;
    let artifact = &job["artifacts"][0];
    let name = artifact["name"].as_str().context("the job left no artifact")?;
    let path = format!("/api/v1/jobs/{id}/artifacts/{name}");
    let host = daemon.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host)?;
    // HTTP/1.0, so that the body is what comes until the end.
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let head = answer.windows(4).position(|at| at == b"\r\n\r\n").context("the download has no head")?;
    let status = String::from_utf8_lossy(&answer[..head]).lines().next().unwrap_or_default().to_owned();
    ensure!(status.contains(" 200 "), "the download failed: {status}");
    let file = dir.join(name);
    fs::write(&file, &answer[head + 4..])?;
    ensure!(artifact["bytes"].as_u64() == Some(fs::metadata(&file)?.len()), "the download is not whole");
    Ok((format!("{}{path}", daemon.url), file))
}

/// Rows of a CSV whose cells hold no line ends, without its head.
fn rows_of(csv: &Path) -> Result<usize> {
    Ok(fs::read_to_string(csv)?.lines().count().saturating_sub(1))
}

/// Records of the input, counted by another parser than the plugin's.
fn count_of(records: &Path) -> Result<usize> {
    let text = fs::read_to_string(records)?;
    if text.trim_start().starts_with('[') {
        return Ok(serde_json::from_str::<Vec<Value>>(&text)?.len());
    }
    Ok(text.lines().filter(|line| !line.trim().is_empty()).count())
}
