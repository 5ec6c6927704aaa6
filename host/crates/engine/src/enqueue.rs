//! From a request to a durable job. Requests that come at the same time share one transaction (group commit), so that the
//! price of a durable write is paid once for all of them; each is answered after the commit that holds it.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tracing::{debug, error};
use windlass_model::{FinalStates, JobState, JsonText, NewJob, Parent, Submission, TaskName, Unique, UniqueRequest};
use windlass_store::{Added, FailPoint, JobInbox, StoreError, Submitted};

use crate::bus::Bus;
use crate::clock;
use crate::fingerprint::fingerprint;
use crate::handle::{DEFAULT_MAX_ATTEMPTS, DEFAULT_TIMEOUT, EnqueueError, EnqueueRequest};
use crate::port::TaskRunner;
use crate::wake::Wake;

/// How many requests may wait for the database. More are turned away rather than kept in memory.
const MAX_WAITING: usize = 1_024;

/// How many jobs one transaction takes before the next one begins: it bounds how long a small request waits behind others.
const MAX_PER_COMMIT: usize = 1_000;

/// What an enqueue came to.
#[derive(Clone, Debug)]
pub struct Enqueued {
    /// The jobs, in the order of the requests.
    pub jobs: Vec<Added>,
    /// Whether this is the answer to an earlier request with the same idempotency key.
    pub is_repeated: bool,
}

/// Where requests wait. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Enqueuer {
    waiting: mpsc::Sender<Waiting>,
}

struct Waiting {
    submission: Submission,
    answer: oneshot::Sender<Result<Enqueued, EnqueueError>>,
}

/// The loop that writes them.
pub(crate) struct EnqueueLoop {
    waiting: mpsc::Receiver<Waiting>,
    inbox: Arc<dyn JobInbox>,
    bus: Bus,
    wake: Wake,
}

impl Enqueuer {
    pub(crate) fn new(inbox: Arc<dyn JobInbox>, bus: Bus, wake: Wake) -> (Self, EnqueueLoop) {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        (Self { waiting: sender }, EnqueueLoop { waiting: receiver, inbox, bus, wake })
    }

    pub(crate) async fn submit(&self, submission: Submission) -> Result<Enqueued, EnqueueError> {
        let (answer, answered) = oneshot::channel();
        self.waiting.try_send(Waiting { submission, answer }).map_err(|refused| match refused {
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
                first = self.waiting.recv() => first,
                () = stop.cancelled() => {
                    self.waiting.close();
                    self.waiting.recv().await
                }
            };
            let Some(first) = first else { return };
            clock::let_others_go_first().await;
            let mut total = first.submission.jobs.len();
            let mut batch = vec![first];
            while total < MAX_PER_COMMIT
                && let Ok(next) = self.waiting.try_recv()
            {
                total += next.submission.jobs.len();
                batch.push(next);
            }
            self.commit(batch).await;
        }
    }

    async fn commit(&self, batch: Vec<Waiting>) {
        let (submissions, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|waiting| (waiting.submission, waiting.answer)).unzip();
        match self.inbox.job_submit(&submissions, None).await {
            Ok(submitted) => {
                FailPoint::AfterEnqueue.hit();
                debug!(
                    requests = submissions.len(),
                    "Enqueued what {} requests asked for in one commit",
                    submissions.len()
                );
                for (answer, submitted) in answers.into_iter().zip(submitted) {
                    self.announce(&submitted);
                    let _ = answer.send(enqueued(submitted));
                }
            }
            // What the database refuses may be the fault of one request: the others must not suffer for it.
            Err(fault) if !fault.is_passing() && submissions.len() > 1 => {
                for (submission, answer) in submissions.iter().zip(answers) {
                    let result = self.inbox.job_submit(std::slice::from_ref(submission), None).await;
                    let _ = answer.send(match result.map(|mut submitted| submitted.pop()) {
                        Ok(Some(submitted)) => {
                            self.announce(&submitted);
                            enqueued(submitted)
                        }
                        Ok(None) => Err(EnqueueError::Stopping),
                        Err(fault) => Err(refused(fault.into())),
                    });
                }
            }
            Err(fault) => {
                let fault = Arc::new(fault);
                for answer in answers {
                    let _ = answer.send(Err(refused(fault.clone())));
                }
            }
        }
    }

    fn announce(&self, submitted: &Submitted) {
        let Submitted::Added(added) = submitted else { return };
        self.bus.publish(added.iter().map(|added| added.job.id));
        if added.iter().any(|added| added.job.state == JobState::Available && !added.is_offered) {
            self.wake.dispatcher();
        }
        if added.iter().any(|added| added.job.state == JobState::Scheduled) {
            self.wake.promoter();
        }
    }
}

fn enqueued(submitted: Submitted) -> Result<Enqueued, EnqueueError> {
    match submitted {
        Submitted::Added(jobs) => Ok(Enqueued { jobs, is_repeated: false }),
        Submitted::Repeated(jobs) => Ok(Enqueued { jobs, is_repeated: true }),
        Submitted::Refused(refusal) => Err(EnqueueError::Refused(refusal)),
    }
}

fn refused(fault: Arc<StoreError>) -> EnqueueError {
    error!(error = &*fault as &dyn std::error::Error, "An enqueue failed: {fault}");
    EnqueueError::Store(fault)
}

/// Checks a request against its task and fills in what it leaves out: from the task's own defaults, then from ours.
pub(crate) fn fill_in(
    runner: &dyn TaskRunner,
    index: usize,
    request: EnqueueRequest,
    parent: Option<Parent>,
) -> Result<NewJob, EnqueueError> {
    let task = request.task;
    let Some(info) = runner.task(&task) else { return Err(EnqueueError::UnknownTask { index, task }) };
    let Some(version) = &info.version else {
        let reason = info.load_error.as_ref().map_or("it has no component", |error| &error.message).to_owned();
        return Err(EnqueueError::NotLoaded { index, task, reason });
    };
    if let Err(faults) = runner.check_args(&task, &request.args) {
        return Err(EnqueueError::Args { index, task, faults });
    }
    let defaults = &version.description.defaults;
    let unique = request.unique.or_else(|| defaults.unique.clone());
    Ok(NewJob {
        id: clock::new_job_id(),
        unique: unique.map(|unique| unique_key(&task, &request.args, unique)),
        task,
        queue: request.queue.or_else(|| defaults.queue.clone()).unwrap_or_default(),
        priority: request.priority.or(defaults.priority).unwrap_or_default(),
        args: request.args,
        run_at: request.run_at,
        max_attempts: request.max_attempts.or(defaults.max_attempts).unwrap_or(DEFAULT_MAX_ATTEMPTS),
        timeout: Some(request.timeout.or(defaults.timeout()).unwrap_or(DEFAULT_TIMEOUT)),
        backoff: request.backoff.or_else(|| defaults.backoff.clone()).unwrap_or_default(),
        expires_at: request.expires_at,
        concurrency_key: request.concurrency_key,
        after: request.after,
        on_failure: request.on_failure,
        parent,
        tags: request.tags,
        metadata: request.metadata.unwrap_or_else(JsonText::empty_object),
    })
}

/// The key that the database compares: apart for each task, and short whatever the arguments are.
fn unique_key(task: &TaskName, args: &JsonText, unique: UniqueRequest) -> Unique {
    let key = match &unique.key {
        Some(key) => format!("{task}:key:{key}"),
        None => format!("{task}:args:{}", fingerprint(args)),
    };
    Unique { key, held_in: FinalStates::among(&unique.states), mode: unique.mode }
}
