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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use async_trait::async_trait;
    use windlass_model::{
        Attempt, AttemptFacts, AttemptOutcome, Backoff, Bounds, JobId, JsonText, Timestamp, WorkerId,
    };
    use windlass_store::{Claimed, StepReport, StoreError, TaskRoom};

    use super::*;

    /// Refuses the first calls, whatever is in them.
    struct Refusing {
        calls: AtomicU32,
        refuses: u32,
    }

    #[async_trait]
    impl JobQueue for Refusing {
        async fn job_claim_within(
            &self,
            _: WorkerId,
            _: &[TaskRoom],
            _: u32,
            _: Option<Timestamp>,
        ) -> Result<Claimed, StoreError> {
            Ok(Claimed::default())
        }

        async fn job_finish(
            &self,
            finished: &[Finished],
            _: Option<Timestamp>,
        ) -> Result<Vec<FinishOutcome>, StoreError> {
            if self.calls.fetch_add(1, Ordering::SeqCst) < self.refuses {
                return Err(StoreError::Corrupt { column: "state", found: "nothing that it knows".to_owned() });
            }
            Ok(finished.iter().map(|_| FinishOutcome::Recorded).collect())
        }

        async fn job_report(&self, _: &StepReport, _: Option<Timestamp>) -> Result<bool, StoreError> {
            Ok(true)
        }

        async fn checkpoint_save(&self, _: JobId, _: u64, _: &[u8]) -> Result<bool, StoreError> {
            Ok(true)
        }

        async fn checkpoint_load(&self, _: JobId) -> Result<Option<Vec<u8>>, StoreError> {
            Ok(None)
        }
    }

    fn finished() -> Finished {
        let facts = AttemptFacts {
            attempt: 1,
            max_attempts: 1,
            cancel_requested: false,
            crash_count: 0,
            host_fault_count: 0,
            backoff: Backoff::default(),
        };
        let outcome = AttemptOutcome::Completed(JsonText::empty_object());
        Finished {
            attempt: Attempt {
                job_id: crate::clock::new_job_id(),
                lease: 1,
                attempt: 1,
                worker_id: crate::clock::new_worker_id(),
                plugin_digest: None,
                started_at: crate::clock::now(),
                ended_at: None,
                error: None,
                bill: None,
            },
            transition: Transition::after(facts, outcome, Bounds::default(), 0.0),
            progress: Progress::default(),
            steps: Vec::new(),
            logs: Vec::new(),
            artifacts: Vec::new(),
        }
    }

    #[tokio::test]
    async fn an_end_that_the_database_refuses_again_and_again_is_written_once_it_does_not() {
        // In the batch, alone, and three times with nothing in it that could be at fault.
        let (finisher, finish_loop) = Finisher::new(Arc::new(Refusing { calls: AtomicU32::new(0), refuses: 5 }));
        tokio::spawn(finish_loop.run(CancellationToken::new()));
        assert!(matches!(finisher.finish(finished()).await, Some(FinishOutcome::Recorded)));
    }
}
