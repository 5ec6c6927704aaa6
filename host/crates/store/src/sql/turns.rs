//! Where a database has one writer, the calls that wait for it at the same time share one transaction: jobs that come, jobs that are
//! claimed and attempts that have ended, with one sync of the disk for all of them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;
use windlass_model::{Submission, WorkerId};

use super::SqlStore;
use super::write::Write;
use crate::dialect::Dialect;
use crate::seam::{Claimed, FinishOutcome, Finished, Submitted, TaskRoom};
use crate::{FailPoint, StoreError};

/// How often a turn lets others go first before it begins: those who were answered together come back together. It costs a lone
/// call a few microseconds.
const YIELDS: u32 = 4;

/// The calls that wait. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    calls: VecDeque<Call>,
    /// Whether somebody takes them.
    is_served: bool,
}

/// A call, and where its answer goes.
pub(super) enum Call {
    Finish(Vec<Finished>, Answer<Vec<FinishOutcome>>),
    Submit(Vec<Submission>, Answer<Vec<Submitted>>),
    Claim(Claim, Answer<Claimed>),
}

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

pub(super) struct Claim {
    pub(super) worker: WorkerId,
    pub(super) tasks: Vec<TaskRoom>,
    pub(super) limit: u32,
}

/// What a call came to within a turn.
enum Outcome {
    Finish(Vec<FinishOutcome>),
    Submit(Vec<Submitted>),
    Claim(Claimed),
}

#[expect(private_bounds, reason = "which databases there are is decided in this crate")]
impl<D: Dialect> SqlStore<D> {
    /// Has a call done in the next turn.
    pub(super) async fn in_turn<T>(&self, call: impl FnOnce(Answer<T>) -> Call) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let is_served = {
            let mut waiting = self.turns.lock();
            waiting.calls.push_back(call(answer));
            std::mem::replace(&mut waiting.is_served, true)
        };
        if !is_served {
            // On its own, so that a caller who gives up does not leave the others without an answer.
            tokio::spawn(self.clone().take_turns());
        }
        answered.await.unwrap_or_else(|_| Err(StoreError::new("turn", sqlx::Error::WorkerCrashed)))
    }

    async fn take_turns(self) {
        let _served = Served(self.turns.clone());
        loop {
            for _ in 0..YIELDS {
                tokio::task::yield_now().await;
            }
            let Some(calls) = self.turns.next() else { return };
            self.take_turn(calls).await;
        }
    }

    async fn take_turn(&self, calls: Vec<Call>) {
        match self.try_all(&calls).await {
            Ok(outcomes) => calls.into_iter().zip(outcomes).for_each(|(call, outcome)| call.answer(outcome)),
            // What the database refuses may be the fault of one call: the others must not suffer for it.
            Err(fault) if !fault.is_passing() && (calls.len() > 1 || fault.is_race()) => {
                for call in calls {
                    self.take_alone(call).await;
                }
            }
            Err(fault) => {
                let mut calls = calls.into_iter();
                if let Some(last) = calls.next_back() {
                    calls.for_each(|call| call.refuse(fault.twin()));
                    last.refuse(fault);
                }
            }
        }
    }

    async fn take_alone(&self, call: Call) {
        match call {
            Call::Finish(finished, answer) => drop(answer.send(self.finish_once(&finished, None).await)),
            Call::Submit(submissions, answer) => drop(answer.send(self.submit_again(&submissions, None).await)),
            Call::Claim(claim, answer) => drop(answer.send(self.claim_once(&claim, None).await)),
        }
    }

    async fn try_all(&self, calls: &[Call]) -> Result<Vec<Outcome>, StoreError> {
        let mut write = self.write(None).await?;
        let mut outcomes: Vec<Option<Outcome>> = calls.iter().map(|_| None).collect();
        // Ends first: what comes after them, and the room that they leave, can be claimed in the same turn. Then what is new.
        for rank in 0..3 {
            for (call, outcome) in calls.iter().zip(&mut outcomes).filter(|(call, _)| call.rank() == rank) {
                *outcome = Some(write.call(call).await?);
            }
        }
        write.commit().await?;
        Ok(outcomes.into_iter().flatten().collect())
    }
}

impl<D: Dialect> Write<D> {
    async fn call(&mut self, call: &Call) -> Result<Outcome, StoreError> {
        Ok(match call {
            Call::Finish(finished, _) => {
                let outcomes = self.finish(finished).await?;
                FailPoint::MidFinish.hit();
                Outcome::Finish(outcomes)
            }
            Call::Submit(submissions, _) => {
                let submitted = self.submit(submissions).await?;
                FailPoint::MidEnqueue.hit();
                Outcome::Submit(submitted)
            }
            Call::Claim(Claim { worker, tasks, limit }, _) => {
                let claimed = self.claim(*worker, tasks, *limit).await?;
                FailPoint::MidClaim.hit();
                Outcome::Claim(claimed)
            }
        })
    }
}

impl Turns {
    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        // A list is whole after every step, so a panic elsewhere does not spoil it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All that waits. If nothing does, nobody takes turns any more.
    fn next(&self) -> Option<Vec<Call>> {
        let mut waiting = self.lock();
        if waiting.calls.is_empty() {
            waiting.is_served = false;
            return None;
        }
        Some(waiting.calls.drain(..).collect())
    }
}

/// Lets the next caller take turns, should whoever does break off.
struct Served(Turns);

impl Drop for Served {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut waiting = self.0.lock();
            waiting.is_served = false;
            // Their answers are dropped with them.
            waiting.calls.clear();
        }
    }
}

impl Call {
    const fn rank(&self) -> u8 {
        match self {
            Self::Finish(..) => 0,
            Self::Submit(..) => 1,
            Self::Claim(..) => 2,
        }
    }

    /// Answers after the commit. Nobody waits any more if the daemon stops.
    fn answer(self, outcome: Outcome) {
        match (self, outcome) {
            (Self::Finish(_, answer), Outcome::Finish(outcomes)) => {
                drop(answer.send(FailPoint::LostFinish.pass().map(|()| outcomes)));
            }
            (Self::Submit(_, answer), Outcome::Submit(submitted)) => {
                drop(answer.send(FailPoint::LostEnqueue.pass().map(|()| submitted)));
            }
            (Self::Claim(_, answer), Outcome::Claim(claimed)) => {
                let passed = if claimed.jobs.is_empty() { Ok(()) } else { FailPoint::LostClaim.pass() };
                drop(answer.send(passed.map(|()| claimed)));
            }
            // An outcome is its call's.
            (_, _) => (),
        }
    }

    fn refuse(self, fault: StoreError) {
        match self {
            Self::Finish(_, answer) => drop(answer.send(Err(fault))),
            Self::Submit(_, answer) => drop(answer.send(Err(fault))),
            Self::Claim(_, answer) => drop(answer.send(Err(fault))),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use windlass_model::{Backoff, JobId, JsonText, NewJob, OnFailure, Priority, QueueName, TaskName};

    use super::*;
    use crate::SqliteStore;
    use crate::seam::{JobInbox as _, JobQueue as _};

    fn job(number: u128) -> NewJob {
        NewJob {
            id: JobId::from_uuid(Uuid::from_u128(number)),
            task: TaskName::parse("echo").unwrap(),
            queue: QueueName::default(),
            priority: Priority::default(),
            args: JsonText::empty_object(),
            run_at: None,
            max_attempts: 1,
            timeout: None,
            backoff: Backoff::default(),
            tags: Vec::new(),
            metadata: JsonText::empty_object(),
            expires_at: None,
            concurrency_key: None,
            unique: None,
            after: Vec::new(),
            on_failure: OnFailure::default(),
            parent: None,
        }
    }

    #[tokio::test]
    async fn of_calls_that_share_a_transaction_one_that_is_refused_does_not_spoil_the_others() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("queue.db")).await.unwrap();
        let submit = async |number| store.job_submit(&[vec![job(number)].into()], None).await;
        submit(1).await.unwrap();
        let tasks = [TaskName::parse("echo").unwrap()];
        let (again, other, claimed) = tokio::join!(
            submit(1),
            submit(2),
            store.job_claim(WorkerId::from_uuid(Uuid::from_u128(9)), &tasks, 9, None)
        );
        again.unwrap_err();
        assert!(matches!(other.unwrap()[..], [Submitted::Added(_)]));
        assert_eq!(claimed.unwrap().jobs.len(), 2, "claims come after what is new");
    }

    #[tokio::test]
    async fn a_caller_who_gives_up_leaves_the_others_their_answers() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("queue.db")).await.unwrap();
        for number in 0..50 {
            let hasty = [vec![job(2 * number)].into()];
            let mut hasty = Box::pin(store.job_submit(&hasty, None));
            // It has called, and serves the others too, when it is dropped.
            tokio::select! {
                biased;
                _ = &mut hasty => unreachable!("it takes a turn, and none has been taken"),
                () = std::future::ready(()) => (),
            }
            let patient = [vec![job(2 * number + 1)].into()];
            let patient = store.job_submit(&patient, None);
            drop(hasty);
            patient.await.unwrap();
        }
    }
}
