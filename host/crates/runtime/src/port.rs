//! What a caller hands in for one attempt, and what it gets back.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::runtime::Handle;
use windlass_model::{
    Artifact, AttemptOutcome, Bill, Job, KeyValueAnswer, KeyValueCall, LogStream, Progress, Timestamp,
};

/// What is to be run.
#[derive(Clone, Debug)]
pub struct AttemptRequest {
    /// The job as it was claimed.
    pub job: Arc<Job>,
    /// When the attempt is interrupted, by the clock of the settings.
    pub deadline: Option<Timestamp>,
    /// Where calls of the host are made that wait for something: its connections must not come to live on the guests' threads.
    pub home: Handle,
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

/// What a running attempt can tell and ask. The calls that are not async are made from the guest's thread and must return
/// at once.
#[async_trait]
pub trait AttemptHost: Send + Sync {
    /// Takes a report of progress, as the guest made it: numbers are not checked.
    fn progress(&self, report: Progress);

    /// Takes a line of the log.
    fn log(&self, stream: LogStream, line: String);

    /// Whether the guest should stop.
    fn is_cancelled(&self) -> bool;

    /// Keeps a checkpoint; it is durable when this returns.
    async fn save_checkpoint(&self, data: Vec<u8>) -> Result<(), HostError>;

    /// The checkpoint that was kept last.
    async fn load_checkpoint(&self) -> Result<Option<Vec<u8>>, HostError>;

    /// Enqueues a job as this one's child, and returns its id, or what is wrong with the request in words. It is durable when
    /// this returns. Refuses if there is no queue.
    async fn enqueue(&self, _request: String) -> Result<Result<String, String>, HostError> {
        Ok(Err("there is no queue here, so nothing can be enqueued".to_owned()))
    }

    /// Does one call to a key-value store of the job's task. Refuses if there is no database.
    async fn key_value(&self, _call: KeyValueCall) -> Result<KeyValueAnswer, HostError> {
        Err(HostError("there is no database here, so there are no key-value stores".to_owned()))
    }
}

/// The daemon could not do what a guest asked for: not the guest's fault.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct HostError(pub String);

/// What is wrong with one part of a job's arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgsFault {
    /// Where, as a JSON pointer into the arguments: `/columns/0`. Empty for the arguments as a whole.
    pub pointer: String,
    /// What is wrong there, in words.
    pub message: String,
}
