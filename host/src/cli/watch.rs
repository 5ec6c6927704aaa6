//! Following a job: a bar on a terminal, lines elsewhere.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Method;
use serde_json::Value;

use super::client::{Client, ClientError};
use super::print;
use super::sse::{Event, Parser};

/// How often a stream that broke is taken up again before the watch gives up.
const TRIES: u32 = 10;

/// How long to wait before that.
const PAUSE: Duration = Duration::from_millis(500);

/// Follows a job to its end; the exit code says how it ended.
pub(super) async fn watch(client: &Client, id: &str, json: bool) -> Result<ExitCode, ClientError> {
    let mut view = View::new(client.base(), json);
    tokio::select! {
        end = follow(client, id, &mut view) => end,
        _ = tokio::signal::ctrl_c() => Ok(ExitCode::from(130)),
    }
}

async fn follow(client: &Client, id: &str, view: &mut View) -> Result<ExitCode, ClientError> {
    let mut last: Option<String> = None;
    let mut failures = 0;
    loop {
        let mut request = client.request(Method::GET, &["jobs", id, "events"]);
        if let Some(last) = &last {
            request = request.header("Last-Event-ID", last);
        }
        match client.send(request).await {
            Ok(response) => {
                let mut stream = response.bytes_stream();
                let mut parser = Parser::default();
                while let Some(Ok(chunk)) = stream.next().await {
                    failures = 0;
                    for event in parser.feed(&chunk) {
                        last = event.id.clone().or(last);
                        if let Some(code) = view.show(&event)? {
                            return Ok(code);
                        }
                    }
                }
            }
            // Before the first event there is nothing to go on with; later the daemon may just be starting again.
            Err(error @ ClientError::Unreachable { .. }) if last.is_none() || failures >= TRIES => return Err(error),
            Err(ClientError::Unreachable { .. }) => (),
            Err(error) => return Err(error),
        }
        failures += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

struct View {
    /// Where the daemon is, for the URLs of artifacts.
    base: String,
    json: bool,
    bar: Option<ProgressBar>,
    last_line: String,
}

impl View {
    fn new(base: String, json: bool) -> Self {
        let bar = (!json && std::io::stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template("{bar:30} {pos:>3} %  {wide_msg}");
            let bar = ProgressBar::new(100).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { base, json, bar, last_line: String::new() }
    }

    /// Shows an event; the last one gives the exit code.
    fn show(&mut self, event: &Event) -> Result<Option<ExitCode>, ClientError> {
        let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
        if self.json {
            print::line(&serde_json::json!({ "event": event.kind, "id": event.id, "data": data }).to_string())?;
        }
        match event.kind.as_str() {
            "end" => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
                if !self.json {
                    ended(&data, &self.base)?;
                }
                return Ok(Some(exit_code(&data)));
            }
            "step" | "progress" if !self.json => self.progress(&event.kind, &data),
            "state" if !self.json => {
                let reason = data["reason"].as_str().map(|reason| format!(" ({reason})")).unwrap_or_default();
                self.say(&format!("{}{reason}", print::text(&data["state"])));
            }
            _ => (),
        }
        Ok(None)
    }

    fn progress(&mut self, kind: &str, data: &Value) {
        let info = print::text(&data["status_info"]);
        let percent = data["percent_complete"].as_u64();
        if let Some(bar) = &self.bar {
            bar.set_position(percent.unwrap_or_else(|| bar.position()));
            bar.set_message(info.clone());
        }
        // On a terminal the bar shows what is live; a line stays for each step.
        if kind == "step" || self.bar.is_none() {
            let percent = percent.map(|percent| format!("{percent:>3} % ")).unwrap_or_default();
            self.say(&format!("step {}  {percent} {info}", print::text(&data["task_step"])));
        }
    }

    fn say(&mut self, line: &str) {
        if line == self.last_line {
            return;
        }
        line.clone_into(&mut self.last_line);
        match &self.bar {
            Some(bar) => bar.println(line),
            // A closed terminal is no reason to stop watching.
            None => drop(writeln!(std::io::stderr().lock(), "{line}")),
        }
    }
}

fn ended(job: &Value, base: &str) -> std::io::Result<()> {
    if let Some(message) = job["error"]["message"].as_str() {
        writeln!(std::io::stderr().lock(), "{}: {message}", print::text(&job["error"]["kind"]))?;
    }
    if !job["output"].is_null() {
        print::line(&job["output"].to_string())?;
    }
    for artifact in job["artifacts"].as_array().into_iter().flatten() {
        let (name, url) = (print::text(&artifact["name"]), print::text(&artifact["url"]));
        writeln!(std::io::stderr().lock(), "artifact {name} ({} bytes): {base}{url}", artifact["bytes"])?;
    }
    Ok(())
}

fn exit_code(job: &Value) -> ExitCode {
    match job["state"].as_str() {
        Some("completed") => ExitCode::SUCCESS,
        Some("discarded") => ExitCode::from(3),
        Some("cancelled") => ExitCode::from(4),
        _ => ExitCode::FAILURE,
    }
}
