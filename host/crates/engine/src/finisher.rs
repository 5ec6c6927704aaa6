//! Writes down how attempts ended, in batches: those that end at the same time share one transaction.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};
use windlass_model::{AttemptError, ErrorKind, JobState, Progress, Transition};
use windlass_store::{FailPoint, FinishOutcome, Finished, JobQueue};

use crate::clock;

/// How many attempts one transaction takes.
const MAX_PER_COMMIT: usize = 1_000;

/// The longest wait between two tries.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// Where ended attempts wait, each with what its caller wants back. Cheap to clone. There are never more of them than slots and jobs
/// that are handed back, so nothing bounds the queue.
pub(crate) struct Finisher<E> {
    ended: mpsc::UnboundedSender<(Finished, E)>,
}

impl<E> Clone for Finisher<E> {
    fn clone(&self) -> Self {
        Self { ended: self.ended.clone() }
    }
}

/// The loop that writes them.
pub(crate) struct FinishLoop<E> {
    ended: mpsc::UnboundedReceiver<(Finished, E)>,
    queue: Arc<dyn JobQueue>,
}

impl<E> Finisher<E> {
    pub(crate) fn new(queue: Arc<dyn JobQueue>) -> (Self, FinishLoop<E>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { ended: sender }, FinishLoop { ended: receiver, queue })
    }

    /// Has an end written down. What was handed in with it comes back when that is durable, and also if the daemon gave up on it.
    pub(crate) fn finish(&self, finished: Finished, ending: E) {
        // The loop runs as long as there is anybody to call this.
        let _ = self.ended.send((finished, ending));
    }
}

impl<E> FinishLoop<E> {
    /// Runs until every [`Finisher`] is gone or `stop` fires with nothing left to write, and hands back each batch once it is durable,
    /// with what became of each; `None` if the daemon gave up on it. `give_up` ends the tries against a database that does not answer.
    pub(crate) async fn run(
        mut self,
        stop: CancellationToken,
        give_up: CancellationToken,
        settle: impl Fn(Vec<(E, Option<FinishOutcome>)>),
    ) {
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                biased;
                first = self.ended.recv() => match first {
                    Some(first) => batch.push(first),
                    None => return,
                },
                () = stop.cancelled() => return,
            }
            clock::let_others_go_first().await;
            while batch.len() < MAX_PER_COMMIT
                && let Ok(next) = self.ended.try_recv()
            {
                batch.push(next);
            }
            let (finished, endings): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
            let outcomes = self.write(finished, &give_up).await;
            settle(endings.into_iter().zip(outcomes).collect());
        }
    }

    async fn write(&self, finished: Vec<Finished>, give_up: &CancellationToken) -> Vec<Option<FinishOutcome>> {
        match self.write_all(&finished, Refusal::Counts, give_up).await {
            Written::All(outcomes) => outcomes.into_iter().map(Some).collect(),
            // One of them is at fault: the others must not suffer for it.
            Written::Refused => {
                let mut outcomes = Vec::with_capacity(finished.len());
                for finished in finished {
                    outcomes.push(self.write_alone(finished, give_up).await);
                }
                outcomes
            }
            Written::GaveUp => finished.iter().map(|_| None).collect(),
        }
    }

    /// An outcome that the database will not take is replaced by one that says so: the job must not stay running.
    async fn write_alone(&self, finished: Finished, give_up: &CancellationToken) -> Option<FinishOutcome> {
        let mut written = self.write_all(std::slice::from_ref(&finished), Refusal::Counts, give_up).await;
        if matches!(written, Written::Refused) {
            written = self.write_all(&[unrecorded(finished)], Refusal::Passes, give_up).await;
        }
        match written {
            Written::All(outcomes) => outcomes.into_iter().next(),
            Written::Refused | Written::GaveUp => None,
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
        let (told, mut settled) = mpsc::unbounded_channel();
        let never = CancellationToken::new();
        tokio::spawn(finish_loop.run(never.clone(), never, move |ended| told.send(ended).unwrap()));
        finisher.finish(finished(), "one");
        assert!(matches!(settled.recv().await.unwrap()[..], [("one", Some(FinishOutcome::Recorded))]));
    }

    #[tokio::test]
    async fn what_was_not_written_when_the_daemon_gave_up_comes_back_as_that() {
        let (finisher, finish_loop) = Finisher::new(Arc::new(Refusing { calls: AtomicU32::new(0), refuses: u32::MAX }));
        let (told, mut settled) = mpsc::unbounded_channel();
        let given_up = CancellationToken::new();
        given_up.cancel();
        tokio::spawn(finish_loop.run(CancellationToken::new(), given_up, move |ended| told.send(ended).unwrap()));
        finisher.finish(finished(), "one");
        assert!(matches!(settled.recv().await.unwrap()[..], [("one", None)]));
    }
}
