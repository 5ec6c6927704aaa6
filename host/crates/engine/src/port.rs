//! What the engine needs of the world outside the database: somebody who runs tasks, and a place for artifacts.
//!
//! The engine owns these traits; the binary plugs the sandbox into them. So the engine's tests need no WebAssembly.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use windlass_model::{
    Artifact, AttemptOutcome, Bill, Job, JobId, JsonText, KeyValueAnswer, KeyValueCall, LogStream, Progress, TaskInfo,
    TaskLimits, TaskName, Timestamp,
};

use crate::handle::{EnqueueError, EnqueueRequest};

/// Somebody who knows tasks and runs them.
#[async_trait]
pub trait TaskRunner: Send + Sync {
    /// All tasks that are known, by name, with those that did not load.
    fn tasks(&self) -> Vec<TaskInfo>;

    /// One task.
    fn task(&self, name: &TaskName) -> Option<Arc<TaskInfo>>;

    /// The tasks that can run now.
    fn loaded(&self) -> Vec<TaskName>;

    /// What bounds a task's attempts beside what happens inside each. Without an answer of its own a runner bounds nothing.
    fn limits(&self, _task: &TaskName) -> TaskLimits {
        TaskLimits::default()
    }

    /// Counts up with every change of what is loaded.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Does with a component all that goes before its service, and leaves it at that. Many at once wait for one another.
    async fn check_version(&self, task: &TaskName, component: Bytes) -> Result<CheckedVersion, VersionFault>;

    /// Serves what the database says now, and returns when it is served or refused.
    async fn refresh(&self);

    /// How large a component may be, in bytes.
    fn component_max(&self) -> u64;

    /// Checks arguments against the schema of the task's version in service. A task without a schema takes any object.
    fn check_args(&self, task: &TaskName, args: &JsonText) -> Result<(), Vec<ArgsFault>>;

    /// Where attempts run best: [`TaskRunner::run`] is polled there. Without an answer of its own they run where the engine does.
    fn threads(&self) -> Option<Handle> {
        None
    }

    /// Runs one attempt and publishes its artifacts if it ended well. Returns soon after `interrupt` fires, with
    /// [`AttemptOutcome::Interrupted`] unless it had ended before.
    async fn run(&self, order: AttemptOrder, host: Arc<dyn AttemptHost>, interrupt: CancellationToken)
    -> AttemptReport;

    /// Forgets what it kept on disk for jobs between attempts. Called when they are over, whether it kept anything or not.
    async fn clean_up(&self, jobs: &[JobId]);

    /// Removes all artifacts of these jobs that it has. What it cannot remove it still has, and says so in the log.
    async fn remove_artifacts(&self, jobs: &[JobId]);

    /// The jobs that it has artifacts of, in any order.
    async fn artifact_jobs(&self) -> Vec<JobId>;

    /// Opens an artifact, or a part of it, for reading.
    async fn artifact(
        &self,
        job: JobId,
        artifact: &Artifact,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>, ArtifactError>;
}

/// A version that was checked: it can be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedVersion {
    /// The SHA-256 of the component, in hexadecimal.
    pub digest: String,
    /// The version that its author gave it.
    pub author_version: Option<String>,
}

/// Why a version cannot be served, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VersionFault {
    /// The component is at fault, or its grants are.
    Component(String),
    /// The daemon could not look into it.
    Host(String),
}

/// What is wrong with one part of a job's arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgsFault {
    /// Where, as a JSON pointer into the arguments: `/columns/0`. Empty for the arguments as a whole.
    pub pointer: String,
    /// What is wrong there, in words.
    pub message: String,
}

/// What is to be run.
#[derive(Clone, Debug)]
pub struct AttemptOrder {
    /// The job as it was claimed.
    pub job: Arc<Job>,
    /// When the attempt is interrupted, by the host's clock.
    pub deadline: Option<Timestamp>,
}

/// How it went.
#[derive(Clone, Debug)]
pub struct AttemptReport {
    /// How it ended.
    pub outcome: AttemptOutcome,
    /// The component that ran, if it came so far.
    pub plugin_digest: Option<String>,
    /// What was published.
    pub artifacts: Vec<Artifact>,
    /// What it used; absent if its guest never started.
    pub bill: Option<Bill>,
}

/// What a running attempt can tell and ask. The calls that are not async return at once.
#[async_trait]
pub trait AttemptHost: Send + Sync {
    /// Takes a report of progress.
    fn progress(&self, report: Progress);

    /// Takes a line of the log.
    fn log(&self, stream: LogStream, line: String);

    /// Whether the guest should stop.
    fn is_cancelled(&self) -> bool;

    /// Keeps a checkpoint; it is durable when this returns.
    async fn save_checkpoint(&self, data: Vec<u8>) -> Result<(), HostError>;

    /// The checkpoint that was kept last.
    async fn load_checkpoint(&self) -> Result<Option<Vec<u8>>, HostError>;

    /// Enqueues a job as this one's child, and returns its id. It is durable when this returns. `fingerprint` says what was asked
    /// for: an attempt that asks for the same thing as often as an earlier one gets that one's jobs.
    async fn enqueue(&self, request: EnqueueRequest, fingerprint: String) -> Result<JobId, EnqueueError>;

    /// Does one call to a key-value store of the job's task.
    async fn key_value(&self, call: KeyValueCall) -> Result<KeyValueAnswer, HostError>;
}

/// The daemon could not do what a guest asked for: not the guest's fault.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct HostError(pub String);

/// Why an artifact cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// It is recorded but not in the store any more.
    #[error("the artifact is gone from the artifact store")]
    Gone,
    /// The store failed.
    #[error("the artifact store failed")]
    Store(#[source] Box<dyn std::error::Error + Send + Sync>),
}
