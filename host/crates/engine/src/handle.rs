//! The door to the engine: what the API may ask of it.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use tokio_util::sync::CancellationToken;
use windlass_model::{
    Artifact, Backoff, Idempotency, JobFilter, JobId, JsonText, OnFailure, Operation, OperationKind, Priority,
    QueueChange, QueueInfo, QueueName, RunAt, Submission, TaskInfo, TaskName, UniqueRequest, Worker,
};
use windlass_store::{CancelOutcome, JobDirectory, Operations, QueueBoard, Refusal, RetryOutcome, StoreError};

use crate::bus::{Bus, JobWatch};
use crate::crowds::MAX_WAITING;
use crate::enqueue::{Enqueued, Enqueuer};
use crate::port::{ArgsFault, ArtifactError, TaskRunner};
use crate::running::Running;
use crate::versions::Versions;
use crate::wake::Wake;
use crate::{Stores, clock};

/// The door to the engine. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    pub(crate) stores: Stores,
    pub(crate) runner: Arc<dyn TaskRunner>,
    pub(crate) bus: Bus,
    pub(crate) wake: Wake,
    pub(crate) running: Running,
    pub(crate) versions: Versions,
    pub(crate) enqueuer: Enqueuer,
    pub(crate) stopping: CancellationToken,
}

/// What an application asks for when it enqueues a job. What is absent comes from the task's own defaults, then from ours.
#[derive(Clone, Debug)]
pub struct EnqueueRequest {
    /// The task.
    pub task: TaskName,
    /// Arguments: a JSON object.
    pub args: JsonText,
    /// The queue; `default` if neither the request nor the task names one.
    pub queue: Option<QueueName>,
    /// Which job goes first; 0 if neither says.
    pub priority: Option<Priority>,
    /// When it may start; at once if absent.
    pub run_at: Option<RunAt>,
    /// When it is too late to start it; never if absent.
    pub expires_at: Option<RunAt>,
    /// How many attempts it has; [`DEFAULT_MAX_ATTEMPTS`] if neither says.
    pub max_attempts: Option<u32>,
    /// How long one attempt may take; [`DEFAULT_TIMEOUT`] if neither says.
    pub timeout: Option<Duration>,
    /// How long it waits between attempts; [`Backoff::default`] if neither says.
    pub backoff: Option<Backoff>,
    /// Jobs with the same one share the queue's limit for each key.
    pub concurrency_key: Option<String>,
    /// What no other job of the task may be at the same time.
    pub unique: Option<UniqueRequest>,
    /// The jobs that must end before it may start, each once.
    pub after: Vec<JobId>,
    /// What becomes of it if one of them does not end well.
    pub on_failure: OnFailure,
    /// Labels to filter by.
    pub tags: Vec<String>,
    /// A JSON object that is kept with the job.
    pub metadata: Option<JsonText>,
}

impl EnqueueRequest {
    /// A request that leaves everything else to the task's defaults.
    #[must_use]
    pub fn new(task: TaskName, args: JsonText) -> Self {
        Self {
            task,
            args,
            queue: None,
            priority: None,
            run_at: None,
            expires_at: None,
            max_attempts: None,
            timeout: None,
            backoff: None,
            concurrency_key: None,
            unique: None,
            after: Vec::new(),
            on_failure: OnFailure::default(),
            tags: Vec::new(),
            metadata: None,
        }
    }
}

/// How many attempts a job has if nobody says: a passing fault is ridden out, a lasting one shows within minutes.
pub const DEFAULT_MAX_ATTEMPTS: u32 = 5;

/// How long an attempt may take if nobody says. Long enough for an export, short enough that a hung one shows the same day.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30 * 60);

/// Why nothing was enqueued.
#[derive(Debug, thiserror::Error)]
pub enum EnqueueError {
    /// No plugin has this name.
    #[error("there is no task `{task}`")]
    UnknownTask {
        /// Which of the requests, from 0.
        index: usize,
        /// The name.
        task: TaskName,
    },
    /// The plugin is there but did not load.
    #[error("the task `{task}` is not in service: {reason}")]
    NotLoaded {
        /// Which of the requests, from 0.
        index: usize,
        /// The name.
        task: TaskName,
        /// Why it did not load.
        reason: String,
    },
    /// The arguments do not fit the task's schema.
    #[error("the arguments do not fit the task `{task}`: {}", fault_text(faults))]
    Args {
        /// Which of the requests, from 0.
        index: usize,
        /// The name.
        task: TaskName,
        /// What is wrong with them.
        faults: Vec<ArgsFault>,
    },
    /// The database holds something that stands against it.
    #[error("{}", refusal_text(.0))]
    Refused(Refusal),
    /// So many jobs wait in the queue that a running job may not add another.
    #[error(
        "{MAX_WAITING} jobs wait in the queue `{queue}`, so running jobs may not add to it: let them finish first, or \
         enqueue fewer"
    )]
    Crowded {
        /// The queue.
        queue: QueueName,
    },
    /// More enqueues are waiting for the database than may wait. Nothing was written; try again in a moment.
    #[error("too many enqueues are waiting for the database")]
    Overloaded,
    /// The daemon shuts down.
    #[error("the daemon shuts down")]
    Stopping,
    /// The database failed; nothing was written.
    #[error("the database failed")]
    Store(#[source] Arc<StoreError>),
}

fn fault_text(faults: &[ArgsFault]) -> String {
    let fault = |fault: &ArgsFault| format!("`{}` {}", fault.pointer, fault.message);
    faults.iter().map(fault).collect::<Vec<_>>().join("; ")
}

impl EnqueueError {
    /// Whether it is the request that is at fault, and not the daemon.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::UnknownTask { .. } | Self::NotLoaded { .. } | Self::Args { .. } | Self::Crowded { .. } => true,
            Self::Refused(refusal) => !matches!(refusal, Refusal::ParentLost),
            Self::Overloaded | Self::Stopping | Self::Store(_) => false,
        }
    }
}

fn refusal_text(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Duplicate { holder, .. } => format!("job {holder} holds the same unique key"),
        Refusal::NoSuchJob { after, .. } => format!("there is no job {after} for it to come after"),
        Refusal::ParentLost => "the job that enqueues it has been taken away from this worker".to_owned(),
        Refusal::KeyReused => "the idempotency key was used for another request".to_owned(),
    }
}

impl Handle {
    /// Enqueues jobs, all or none, and returns them in the given order. They are durable when it returns. With an idempotency
    /// key that was answered within the last day it returns that answer and enqueues nothing.
    pub async fn enqueue(
        &self,
        requests: Vec<EnqueueRequest>,
        idempotency: Option<Idempotency>,
    ) -> Result<Enqueued, EnqueueError> {
        if self.stopping.is_cancelled() {
            return Err(EnqueueError::Stopping);
        }
        let jobs = requests
            .into_iter()
            .enumerate()
            .map(|(index, request)| crate::enqueue::fill_in(&*self.runner, index, request, None))
            .collect::<Result<Vec<_>, _>>()?;
        self.enqueuer.submit(Submission { jobs, idempotency }).await
    }

    /// Cancels a job: at once if it has not started, else by telling its handler and, after a grace period, by interrupting it.
    pub async fn cancel(&self, id: JobId) -> Result<CancelOutcome, StoreError> {
        let outcome = self.stores.inbox.job_cancel(id, None).await?;
        match &outcome {
            CancelOutcome::Requested(job) => self.running.cancel(id, job.lease),
            CancelOutcome::Cancelled(_) => {
                self.bus.publish([id]);
                // What came after it may run now.
                self.wake.dispatcher();
            }
            CancelOutcome::AlreadyOver(_) | CancelOutcome::NotFound => (),
        }
        Ok(outcome)
    }

    /// Makes a job available now, with at least one attempt.
    pub async fn retry(&self, id: JobId) -> Result<RetryOutcome, StoreError> {
        let outcome = self.stores.inbox.job_retry(id, None).await?;
        if matches!(outcome, RetryOutcome::Retried(_)) {
            self.bus.publish([id]);
            self.wake.dispatcher();
        }
        Ok(outcome)
    }

    /// Begins to cancel or to retry all jobs that match a filter and that are there now. It is durable when this returns, and
    /// done in the background.
    pub async fn start_operation(&self, kind: OperationKind, filter: &JobFilter) -> Result<Operation, StoreError> {
        let operation = self.stores.operations.operation_start(clock::new_operation_id(), kind, filter, None).await?;
        self.wake.operator();
        Ok(operation)
    }

    /// Where operations are read.
    #[must_use]
    pub fn operations(&self) -> &dyn Operations {
        &*self.stores.operations
    }

    /// Changes a queue's settings. What may be claimed because of it is claimed at once.
    pub async fn change_queue(&self, name: &QueueName, change: &QueueChange) -> Result<QueueInfo, StoreError> {
        let queue = self.stores.queues.queue_change(name, change, None).await?;
        self.wake.dispatcher();
        Ok(queue)
    }

    /// Where queues are read.
    #[must_use]
    pub fn queues(&self) -> &dyn QueueBoard {
        &*self.stores.queues
    }

    /// Where everything about jobs is read.
    #[must_use]
    pub fn directory(&self) -> &dyn JobDirectory {
        &*self.stores.directory
    }

    /// The workers that are known, in the order of their start; also those whose lease has run out and that were not forgotten yet.
    pub async fn workers(&self) -> Result<Vec<Worker>, StoreError> {
        self.stores.upkeep.worker_list().await
    }

    /// A watch on one job: it wakes whenever something about the job may have changed. Ask for it before you look.
    #[must_use]
    pub fn watch(&self, id: JobId) -> JobWatch {
        self.bus.watch(id)
    }

    /// How many jobs somebody watches now.
    #[must_use]
    pub fn watched(&self) -> usize {
        self.bus.watched()
    }

    /// All tasks that are known, by name.
    #[must_use]
    pub fn tasks(&self) -> Vec<TaskInfo> {
        self.runner.tasks()
    }

    /// One task.
    #[must_use]
    pub fn task(&self, name: &TaskName) -> Option<Arc<TaskInfo>> {
        self.runner.task(name)
    }

    /// Opens an artifact, or a part of it, for reading.
    pub async fn artifact(
        &self,
        job: JobId,
        artifact: &Artifact,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>, ArtifactError> {
        self.runner.artifact(job, artifact, range).await
    }

    /// Fires when the daemon begins to shut down: long polls and event streams end then.
    #[must_use]
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// The time by the host's clock, for answers; never for leases.
    #[must_use]
    pub fn now(&self) -> windlass_model::Timestamp {
        clock::now()
    }
}
