//! Talking to a daemon, and what to say when it does not answer or says no.

use std::io::Write;
use std::process::ExitCode;

use reqwest::{Method, RequestBuilder, Response, Url};
use serde_json::Value;

use super::{Command, Connection, commands};

/// The exit code when the daemon cannot be reached.
const UNREACHABLE: u8 = 5;

/// Why a command did not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error("`{0}` is no URL of a daemon: write it as http://127.0.0.1:7070")]
    Url(String),
    #[error("no daemon answers at {url}: is `windlass serve` running there?")]
    Unreachable { url: String },
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    Input(String),
    #[error("the daemon's answer broke off")]
    Broken(#[source] reqwest::Error),
    #[error("cannot print")]
    Print(#[from] std::io::Error),
}

/// Runs a command, and says on standard error why it failed.
pub(crate) async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match commands::run(command).await {
        Ok(code) => Ok(code),
        // Whoever reads our output has seen enough.
        Err(ClientError::Print(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => {
            let code = if matches!(error, ClientError::Unreachable { .. }) { UNREACHABLE } else { 1 };
            let _ = writeln!(std::io::stderr().lock(), "windlass: {error}");
            Ok(ExitCode::from(code))
        }
    }
}

/// A client of one daemon.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    base: Url,
    http: reqwest::Client,
}

impl Client {
    pub(crate) fn new(connection: &Connection) -> Result<Self, ClientError> {
        let base = Url::parse(&connection.url).ok().filter(|url| url.scheme() == "http");
        let base = base.ok_or_else(|| ClientError::Url(connection.url.clone()))?;
        Ok(Self { base, http: reqwest::Client::new() })
    }

    /// Where the daemon is, without a slash at its end.
    pub(crate) fn base(&self) -> String {
        self.base.as_str().trim_end_matches('/').to_owned()
    }

    /// A request to a path that is given in parts, so that an id with a slash in it stays one part.
    pub(crate) fn request(&self, method: Method, parts: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(parts);
        }
        self.http.request(method, url)
    }

    /// Sends a request; an answer that is no success becomes an error that says what the daemon said.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, ClientError> {
        let response = request.send().await.map_err(|_| ClientError::Unreachable { url: self.base.to_string() })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let text = response.text().await.map_err(ClientError::Broken)?;
        Err(ClientError::Refused(match serde_json::from_str::<Value>(&text) {
            Ok(problem) => said(&problem),
            Err(_) => format!("the daemon answered {status}"),
        }))
    }

    /// Sends a request and reads the answer as JSON.
    pub(crate) async fn json(&self, request: RequestBuilder) -> Result<Value, ClientError> {
        self.send(request).await?.json().await.map_err(ClientError::Broken)
    }
}

/// A problem document in words: what is wrong, then each field, then what may have been meant.
fn said(problem: &Value) -> String {
    let text = |key: &str| problem[key].as_str().unwrap_or_default();
    let mut said = match text("detail") {
        "" => text("title").to_owned(),
        detail => detail.to_owned(),
    };
    for error in problem["errors"].as_array().into_iter().flatten() {
        let part = |key: &str| error[key].as_str().unwrap_or_default();
        said.push_str(&format!("\n  - {}: {}", part("field"), part("message")));
    }
    let nearest: Vec<_> = problem["nearest"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !nearest.is_empty() && !nearest.iter().all(|name| said.contains(name)) {
        said.push_str(&format!("\n  did you mean {}?", nearest.join(", ")));
    }
    said
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_problem_is_told_with_its_fields_and_what_may_have_been_meant() {
        let problem = json!({
            "title": "Not found", "detail": "there is no such task", "nearest": ["hello"],
            "errors": [{ "field": "task", "message": "unknown" }],
        });
        assert_eq!(said(&problem), "there is no such task\n  - task: unknown\n  did you mean hello?");
    }

    #[test]
    fn a_slash_in_an_id_does_not_lead_elsewhere() {
        let connection = Connection { url: "http://127.0.0.1:7070".to_owned(), json: false };
        let request = Client::new(&connection).unwrap().request(Method::GET, &["jobs", "../tasks"]).build().unwrap();
        assert_eq!(request.url().path(), "/api/v1/jobs/..%2Ftasks");
    }
}
