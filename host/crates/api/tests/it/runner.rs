//! Plays the sandbox: what a job does stands in its arguments.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use serde::Deserialize;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use windlass_engine::{
    ArgsFault, ArtifactError, AttemptHost, AttemptOrder, AttemptReport, CheckedVersion, TaskRunner, VersionFault,
};
use windlass_model::{
    Artifact, AttemptError, AttemptOutcome, ErrorKind, JobId, JsonText, LoadError, LogStream, Progress,
    TaskDescription, TaskInfo, TaskName, TaskVersion, Timestamp,
};

/// The content of every artifact.
pub(crate) const CONTENT: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// What the arguments can ask for, in this order.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Script {
    /// Lines for the log.
    lines: u32,
    /// How many steps to report.
    steps: u32,
    /// Percentages to report within a step, each when the gate lets it.
    percents: Vec<u8>,
    /// Whether to wait for the gate at the end, as long as nobody cancels.
    wait: bool,
    /// The message of a fatal error.
    fatal: Option<String>,
    /// The message of a fatal error in the first attempt only.
    fatal_once: Option<String>,
    /// Files to leave behind.
    artifacts: Vec<String>,
}

/// Plays the sandbox.
pub(crate) struct FakeRunner {
    gate: Semaphore,
    changes: watch::Sender<u64>,
}

impl FakeRunner {
    pub(crate) fn new() -> Self {
        Self { gate: Semaphore::new(0), changes: watch::Sender::new(0) }
    }

    /// Lets one job that waits at the gate go on.
    pub(crate) fn open_gate(&self) {
        self.gate.add_permits(1);
    }

    /// Returns true when the gate lets it through, false when the job should stop.
    async fn pass_gate(&self, host: &dyn AttemptHost, interrupt: &CancellationToken) -> bool {
        loop {
            tokio::select! {
                permit = self.gate.acquire() => {
                    permit.unwrap().forget();
                    return true;
                }
                () = interrupt.cancelled() => return false,
                // A guest has no better way to hear of a cancel either.
                () = tokio::time::sleep(Duration::from_millis(5)) => {
                    if host.is_cancelled() {
                        return false;
                    }
                }
            }
        }
    }

    async fn play(
        &self,
        order: &AttemptOrder,
        host: &dyn AttemptHost,
        interrupt: &CancellationToken,
    ) -> Result<Vec<Artifact>, AttemptOutcome> {
        let script: Script = serde_json::from_str(order.job.args.as_str()).unwrap();
        for line in 1..=script.lines {
            host.log(LogStream::Stdout, format!("line {line}"));
        }
        for step in 1..=script.steps {
            host.progress(Progress {
                task_step: Some(step),
                percent_complete: Some(0),
                status_info: Some(format!("step {step}")),
            });
        }
        for percent in script.percents {
            self.demand_gate(host, interrupt).await?;
            host.progress(Progress { percent_complete: Some(percent), ..Progress::default() });
        }
        if script.wait {
            self.demand_gate(host, interrupt).await?;
        }
        let once = script.fatal_once.filter(|_| order.job.attempt == 1);
        if let Some(message) = script.fatal.or(once) {
            return Err(AttemptOutcome::Failed(AttemptError::new(ErrorKind::Fatal, message)));
        }
        Ok(script.artifacts.iter().map(|name| artifact(name, order.job.lease)).collect())
    }

    async fn demand_gate(&self, host: &dyn AttemptHost, interrupt: &CancellationToken) -> Result<(), AttemptOutcome> {
        match self.pass_gate(host, interrupt).await {
            true => Ok(()),
            false if host.is_cancelled() => Err(AttemptOutcome::Cancelled),
            false => Err(AttemptOutcome::Interrupted),
        }
    }
}

fn artifact(name: &str, lease: u64) -> Artifact {
    let bytes = if name == "empty.txt" { 0 } else { CONTENT.len() as u64 };
    let content_type = if name.ends_with(".csv") { "text/csv" } else { "application/octet-stream" };
    Artifact { name: name.to_owned(), bytes, content_type: content_type.to_owned(), sha256: "5e55".repeat(16), lease }
}

fn task(name: &str) -> Option<TaskInfo> {
    let description = match name {
        "hello" => r#"{"title": "Hello", "version": "1.0.0"}"#,
        "export-csv" | "export-pdf" => {
            r#"{"args_schema": {"type": "object", "required": ["columns"]}, "defaults": {"queue": "exports", "max_attempts": 2}}"#
        }
        "broken" => "",
        _ => return None,
    };
    let at = Timestamp::from_micros(1_795_000_000_000_000);
    let version = || TaskVersion {
        digest: "ab".repeat(32),
        bytes: 12_345,
        loaded_at: at,
        description: TaskDescription::parse(description).unwrap(),
        grants: JsonText::empty_object(),
        auto_rollback: None,
        limits: JsonText::empty_object(),
    };
    let load_error = LoadError { digest: None, at, message: "it is not a component".to_owned() };
    let is_broken = name == "broken";
    Some(TaskInfo {
        name: TaskName::parse(name).unwrap(),
        version: (!is_broken).then(version),
        load_error: is_broken.then_some(load_error),
    })
}

#[async_trait]
impl TaskRunner for FakeRunner {
    fn tasks(&self) -> Vec<TaskInfo> {
        ["broken", "export-csv", "export-pdf", "hello"].into_iter().filter_map(task).collect()
    }

    fn task(&self, name: &TaskName) -> Option<Arc<TaskInfo>> {
        task(name.as_str()).map(Arc::new)
    }

    fn loaded(&self) -> Vec<TaskName> {
        self.tasks().into_iter().filter(|task| task.version.is_some()).map(|task| task.name).collect()
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn check_version(&self, _: &TaskName, component: Bytes) -> Result<CheckedVersion, VersionFault> {
        let text = String::from_utf8(component.to_vec()).unwrap();
        match text.split_once(' ') {
            Some(("bad", why)) => Err(VersionFault::Component(why.to_owned())),
            Some(("slow", why)) => Err(VersionFault::Host(why.to_owned())),
            _ => Ok(CheckedVersion { digest: format!("{text:0<64}"), author_version: Some("1.0.0".to_owned()) }),
        }
    }

    async fn refresh(&self) {}

    fn component_max(&self) -> u64 {
        100
    }

    fn check_args(&self, task: &TaskName, args: &JsonText) -> Result<(), Vec<ArgsFault>> {
        let fault =
            |pointer: &str, message: &str| ArgsFault { pointer: pointer.to_owned(), message: message.to_owned() };
        match task.as_str() {
            "export-csv" if args.as_str().contains("pric") => Err(vec![
                fault("/columns/0", "\"pric\" is not one of the columns"),
                fault("", "\"source\" is required"),
            ]),
            _ => Ok(()),
        }
    }

    async fn run(
        &self,
        order: AttemptOrder,
        host: Arc<dyn AttemptHost>,
        interrupt: CancellationToken,
    ) -> AttemptReport {
        let (outcome, artifacts) = match self.play(&order, &*host, &interrupt).await {
            Ok(artifacts) => {
                let output = format!(r#"{{"z": 1.10, "a": {}}}"#, order.job.attempt);
                (AttemptOutcome::Completed(JsonText::parse(&output).unwrap()), artifacts)
            }
            Err(outcome) => (outcome, Vec::new()),
        };
        let bill = Some(windlass_model::Bill {
            cpu_us: 1_500,
            peak_memory_bytes: 1_114_112,
            ..windlass_model::Bill::default()
        });
        AttemptReport { outcome, plugin_digest: Some("ab".repeat(32)), artifacts, bill }
    }

    async fn clean_up(&self, _: &[JobId]) {}

    async fn remove_artifacts(&self, _: &[JobId]) {}

    async fn artifact_jobs(&self) -> Vec<JobId> {
        Vec::new()
    }

    async fn artifact(
        &self,
        _: JobId,
        artifact: &Artifact,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>, ArtifactError> {
        match artifact.name.as_str() {
            "gone.csv" => return Err(ArtifactError::Gone),
            "unreachable.csv" => return Err(ArtifactError::Store("the secret bucket is away".into())),
            _ => (),
        }
        let range = range.unwrap_or(0..artifact.bytes);
        let content = &CONTENT[range.start as usize..range.end as usize];
        let chunks: Vec<_> = content.chunks(7).map(|chunk| Ok(Bytes::from_static(chunk))).collect();
        Ok(stream::iter(chunks).boxed())
    }
}
