//! Writes down how attempts ended, in batches: those that end at the same time share one transaction.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};
use windlass_model::{AttemptError, ErrorKind, JobState, Progress, Transition};
use windlass_store::{FailPoint, FinishOutcome, Finished, JobQueue};

/// How many attempts one transaction takes.
const MAX_PER_COMMIT: usize = 500;

/// The longest wait between two tries.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Where ended attempts wait. Cheap to clone. There are never more of them than slots, so nothing bounds the queue.
#[derive(Clone)]
pub(crate) struct Finisher {
    ended: mpsc::UnboundedSender<Ended>,
}

struct Ended {
    finished: Finished,
    answer: oneshot::Sender<FinishOutcome>,
}

/// The loop that writes them.
pub(crate) struct FinishLoop {
    ended: mpsc::UnboundedReceiver<Ended>,
    queue: Arc<dyn JobQueue>,
}

impl Finisher {
    pub(crate) fn new(queue: Arc<dyn JobQueue>) -> (Self, FinishLoop) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { ended: sender }, FinishLoop { ended: receiver, queue })
    }

    /// Returns when the outcome is durable, or `None` if the daemon gave up on that while it shut down.
    pub(crate) async fn finish(&self, finished: Finished) -> Option<FinishOutcome> {
        let (answer, answered) = oneshot::channel();
        self.ended.send(Ended { finished, answer }).ok()?;
        answered.await.ok()
    }
}

impl FinishLoop {
    /// Runs until every [`Finisher`] is gone. `give_up` ends the tries against a database that does not answer.
    pub(crate) async fn run(mut self, give_up: CancellationToken) {
        let mut batch = Vec::new();
        while self.ended.recv_many(&mut batch, MAX_PER_COMMIT).await > 0 {
            self.write(std::mem::take(&mut batch), &give_up).await;
        }
    }

    async fn write(&self, batch: Vec<Ended>, give_up: &CancellationToken) {
        let finished: Vec<_> = batch.iter().map(|ended| ended.finished.clone()).collect();
        match self.write_all(&finished, Refusal::Counts, give_up).await {
            Written::All(outcomes) => {
                for (ended, outcome) in batch.into_iter().zip(outcomes) {
                    let _ = ended.answer.send(outcome);
                }
            }
            // One of them is at fault: the others must not suffer for it.
            Written::Refused => {
                for ended in batch {
                    self.write_alone(ended, give_up).await;
                }
            }
            Written::GaveUp => (),
        }
    }

    /// An outcome that the database will not take is replaced by one that says so: the job must not stay running.
    async fn write_alone(&self, mut ended: Ended, give_up: &CancellationToken) {
        let mut written = self.write_all(std::slice::from_ref(&ended.finished), Refusal::Counts, give_up).await;
        if matches!(written, Written::Refused) {
            ended.finished = unrecorded(ended.finished);
            written = self.write_all(std::slice::from_ref(&ended.finished), Refusal::Passes, give_up).await;
        }
        if let Written::All(outcomes) = written
            && let Some(outcome) = outcomes.into_iter().next()
        {
            let _ = ended.answer.send(outcome);
        }
    }

    /// Tries until the database answers.
    async fn write_all(&self, finished: &[Finished], refusal: Refusal, give_up: &CancellationToken) -> Written {
        let mut pause = Duration::from_millis(50);
        loop {
            FailPoint::BeforeFinish.hit();
            match self.queue.job_finish(finished, None).await {
                Ok(outcomes) => {
                    FailPoint::AfterFinish.hit();
                    return Written::All(outcomes);
                }
                Err(fault) if fault.is_passing() => {
                    warn!(
                        error = &fault as &dyn std::error::Error,
                        "Cannot write down how {} attempts ended, trying again in {pause:?}: {fault}",
                        finished.len()
                    );
                }
                Err(fault) => {
                    error!(
                        error = &fault as &dyn std::error::Error,
                        "The database refused to write down how {} attempts ended: {fault}",
                        finished.len()
                    );
                    if refusal == Refusal::Counts {
                        return Written::Refused;
                    }
                }
            }
            tokio::select! {
                () = give_up.cancelled() => return Written::GaveUp,
                () = tokio::time::sleep(pause) => (),
            }
            pause = (pause * 2).min(MAX_BACKOFF);
        }
    }
}

/// What it means when the database refuses for good.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// Something in what is written is at fault.
    Counts,
    /// There is nothing in it that could be: the database is at fault, and that passes. To give up would leave the job running for
    /// as long as this worker lives.
    Passes,
}

enum Written {
    All(Vec<FinishOutcome>),
    Refused,
    GaveUp,
}

/// The same end without anything in it that the database could refuse.
fn unrecorded(finished: Finished) -> Finished {
    let error = AttemptError::new(ErrorKind::Host, "the database refused to keep what the job came to");
    let transition = Transition {
        to: JobState::Discarded,
        delay: None,
        output: None,
        error: Some(error),
        reason: None,
        ..finished.transition
    };
    Finished {
        attempt: finished.attempt,
        transition,
        progress: Progress::default(),
        steps: Vec::new(),
        logs: Vec::new(),
        artifacts: Vec::new(),
    }
}
