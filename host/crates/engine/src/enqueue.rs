//! From a request to a durable job. Requests that come at the same time share one transaction (group commit), so that the
//! price of a durable write is paid once for all of them; each is answered after the commit that holds it.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tracing::{debug, error};
use windlass_model::{Job, JobState, JsonText, NewJob};
use windlass_store::{FailPoint, JobInbox, StoreError};

use crate::bus::Bus;
use crate::clock;
use crate::handle::{DEFAULT_MAX_ATTEMPTS, DEFAULT_TIMEOUT, EnqueueError, EnqueueRequest};
use crate::port::TaskRunner;
use crate::wake::Wake;

/// How many requests may wait for the database. More are turned away rather than kept in memory.
const MAX_WAITING: usize = 1_024;

/// How many jobs one transaction takes before the next one begins: it bounds how long a small request waits behind others.
const MAX_PER_COMMIT: usize = 1_000;

/// Where requests wait. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Enqueuer {
    submissions: mpsc::Sender<Submission>,
}

struct Submission {
    jobs: Vec<NewJob>,
    answer: oneshot::Sender<Result<Vec<Job>, EnqueueError>>,
}

/// The loop that writes them.
pub(crate) struct EnqueueLoop {
    submissions: mpsc::Receiver<Submission>,
    inbox: Arc<dyn JobInbox>,
    bus: Bus,
    wake: Wake,
}

impl Enqueuer {
    pub(crate) fn new(inbox: Arc<dyn JobInbox>, bus: Bus, wake: Wake) -> (Self, EnqueueLoop) {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        (Self { submissions: sender }, EnqueueLoop { submissions: receiver, inbox, bus, wake })
    }

    pub(crate) async fn submit(&self, jobs: Vec<NewJob>) -> Result<Vec<Job>, EnqueueError> {
        let (answer, answered) = oneshot::channel();
        self.submissions.try_send(Submission { jobs, answer }).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => EnqueueError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => EnqueueError::Stopping,
        })?;
        answered.await.unwrap_or(Err(EnqueueError::Stopping))
    }
}

impl EnqueueLoop {
    /// Runs until every [`Enqueuer`] is gone, or until it is told to close, and has then answered whatever it had taken.
    pub(crate) async fn run(mut self, stop: tokio_util::sync::CancellationToken) {
        loop {
            let first = tokio::select! {
                biased;
                submission = self.submissions.recv() => submission,
                () = stop.cancelled() => {
                    self.submissions.close();
                    self.submissions.recv().await
                }
            };
            let Some(first) = first else { return };
            let mut total = first.jobs.len();
            let mut batch = vec![first];
            while total < MAX_PER_COMMIT
                && let Ok(next) = self.submissions.try_recv()
            {
                total += next.jobs.len();
                batch.push(next);
            }
            self.commit(batch).await;
        }
    }

    async fn commit(&self, batch: Vec<Submission>) {
        let jobs: Vec<_> = batch.iter().flat_map(|submission| submission.jobs.iter().cloned()).collect();
        match self.inbox.job_insert(&jobs, None).await {
            Ok(added) => {
                FailPoint::AfterEnqueue.hit();
                debug!(jobs = added.len(), requests = batch.len(), "Enqueued {} jobs in one commit", added.len());
                self.announce(&added);
                let mut added = added.into_iter();
                for submission in batch {
                    let own = added.by_ref().take(submission.jobs.len()).collect();
                    let _ = submission.answer.send(Ok(own));
                }
            }
            // What the database refuses may be the fault of one request: the others must not suffer for it.
            Err(fault) if !fault.is_passing() && batch.len() > 1 => {
                for submission in batch {
                    let result = self.inbox.job_insert(&submission.jobs, None).await;
                    if let Ok(added) = &result {
                        self.announce(added);
                    }
                    let _ = submission.answer.send(result.map_err(|fault| refused(fault.into())));
                }
            }
            Err(fault) => {
                let fault = Arc::new(fault);
                for submission in batch {
                    let _ = submission.answer.send(Err(refused(fault.clone())));
                }
            }
        }
    }

    fn announce(&self, added: &[Job]) {
        self.bus.publish(added.iter().map(|job| job.id));
        if added.iter().any(|job| job.state == JobState::Available) {
            self.wake.dispatcher();
        }
        if added.iter().any(|job| job.state == JobState::Scheduled) {
            self.wake.promoter();
        }
    }
}

fn refused(fault: Arc<StoreError>) -> EnqueueError {
    error!(error = &*fault as &dyn std::error::Error, "An enqueue failed: {fault}");
    EnqueueError::Store(fault)
}

/// Checks a request against its task and fills in what it leaves out: from the task's own defaults, then from ours.
pub(crate) fn fill_in(runner: &dyn TaskRunner, index: usize, request: EnqueueRequest) -> Result<NewJob, EnqueueError> {
    let task = request.task;
    let Some(info) = runner.task(&task) else { return Err(EnqueueError::UnknownTask { index, task }) };
    let Some(version) = info.version else {
        let reason = info.load_error.map_or_else(|| "it has no component".to_owned(), |error| error.message);
        return Err(EnqueueError::NotLoaded { index, task, reason });
    };
    if let Err(faults) = runner.check_args(&task, &request.args) {
        return Err(EnqueueError::Args { index, task, faults });
    }
    let defaults = version.description.defaults;
    Ok(NewJob {
        id: clock::new_job_id(),
        task,
        queue: request.queue.or(defaults.queue.clone()).unwrap_or_default(),
        priority: request.priority.or(defaults.priority).unwrap_or_default(),
        args: request.args,
        run_at: request.run_at,
        max_attempts: request.max_attempts.or(defaults.max_attempts).unwrap_or(DEFAULT_MAX_ATTEMPTS),
        timeout: Some(request.timeout.or(defaults.timeout()).unwrap_or(DEFAULT_TIMEOUT)),
        backoff: defaults.backoff.unwrap_or_default(),
        tags: request.tags,
        metadata: request.metadata.unwrap_or_else(JsonText::empty_object),
    })
}
