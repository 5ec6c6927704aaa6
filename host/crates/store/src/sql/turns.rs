//! Where a database has one writer, the calls that wait for it at the same time share one transaction: jobs that come, jobs that are
//! claimed and attempts that have ended, with one sync of the disk for all of them.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;
use windlass_model::{Submission, WorkerId};

use super::SqlStore;
use super::write::Write;
use crate::dialect::Dialect;
use crate::error::DriverError;
use crate::seam::{Claimed, FinishOutcome, Finished, Offer, Submitted, TaskRoom};
use crate::{FailPoint, StoreError};

/// The calls that wait. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Turns(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    calls: Vec<Call>,
    /// What is claimed along with them, if there may be something to claim.
    offer: Option<StandingOffer>,
    /// Whether somebody asked for the offer while a turn had it.
    is_wanted_back: bool,
    /// Whether a turn made jobs available after the last claim.
    has_unclaimed: bool,
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

/// A claim for a turn that others ask for.
struct StandingOffer {
    claim: Claim,
    if_backlog: bool,
    answer: Answer<Claimed>,
}

/// What a call came to within a turn.
enum Outcome {
    Finish(Vec<FinishOutcome>),
    Submit(Vec<Submitted>),
    Claim(Claimed),
}

/// What a turn came to.
struct Turn {
    /// Of each call.
    outcomes: Vec<Outcome>,
    /// For the offer, if it was taken up.
    claimed: Option<Claimed>,
    /// Whether jobs became available in it.
    made_available: bool,
}

#[expect(private_bounds, reason = "which databases there are is decided in this crate")]
impl<D: Dialect> SqlStore<D> {
    /// Has a call done in the next turn.
    pub(super) async fn in_turn<T>(&self, call: impl FnOnce(Answer<T>) -> Call) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let is_served = {
            let mut waiting = self.turns.lock();
            waiting.calls.push(call(answer));
            std::mem::replace(&mut waiting.is_served, true)
        };
        if !is_served {
            // On its own, so that a caller who gives up does not leave the others without an answer.
            self.dialect.serve(self.clone().take_turns());
        }
        answered.await.unwrap_or_else(|_| Err(broken_off()))
    }

    async fn take_turns(self) {
        let _served = Served(self.turns.clone());
        while let Some((calls, offer)) = self.turns.next() {
            self.take_turn(calls, offer).await;
        }
    }

    async fn take_turn(&self, calls: Vec<Call>, mut offer: Option<StandingOffer>) {
        match self.try_all(&calls, offer.as_ref()).await {
            Ok(Turn { outcomes, claimed, made_available }) => {
                let has_claimed = claimed.is_some() || calls.iter().any(|call| matches!(call, Call::Claim(..)));
                let taken_up = claimed.and_then(|claimed| Some((offer.take()?, claimed)));
                self.turns.note(made_available, has_claimed, offer);
                calls.into_iter().zip(outcomes).for_each(|(call, outcome)| call.answer(outcome));
                if let Some((offer, claimed)) = taken_up {
                    answer_claim(offer.answer, claimed);
                }
            }
            // What the database refuses may be the fault of one call: the others must not suffer for it.
            Err(fault) if !fault.is_passing() && (calls.len() > 1 || offer.is_some() || fault.is_race()) => {
                self.turns.note(true, false, None);
                for call in calls {
                    self.take_alone(call).await;
                }
                if let Some(StandingOffer { claim, answer, .. }) = offer {
                    drop(answer.send(self.claim_once(&claim, None).await));
                }
            }
            Err(fault) => {
                if let Some(StandingOffer { answer, .. }) = offer {
                    drop(answer.send(Err(fault.twin())));
                }
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

    async fn try_all(&self, calls: &[Call], offer: Option<&StandingOffer>) -> Result<Turn, StoreError> {
        let mut write = self.write(None).await?;
        let mut outcomes: Vec<Option<Outcome>> = calls.iter().map(|_| None).collect();
        // Ends first: what comes after them, and the room that they leave, can be claimed in the same turn. Then what is new.
        for rank in 0..3 {
            for (call, outcome) in calls.iter().zip(&mut outcomes).filter(|(call, _)| call.rank() == rank) {
                *outcome = Some(write.call(call).await?);
            }
        }
        let mut claimed = None;
        if let Some(StandingOffer { claim: Claim { worker, tasks, limit }, if_backlog, .. }) = offer
            && (*if_backlog || write.changes.available)
        {
            claimed = Some(write.claim(*worker, tasks, *limit).await?);
            outcomes.iter_mut().flatten().for_each(Outcome::note_offer);
            FailPoint::MidClaim.hit();
        }
        let made_available = write.changes.available;
        write.commit().await?;
        Ok(Turn { outcomes: outcomes.into_iter().flatten().collect(), claimed, made_available })
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
    fn next(&self) -> Option<(Vec<Call>, Option<StandingOffer>)> {
        let mut waiting = self.lock();
        if waiting.calls.is_empty() {
            waiting.is_served = false;
            return None;
        }
        let calls = std::mem::take(&mut waiting.calls);
        // A call that claims has nothing left for others.
        let is_claimed = calls.iter().any(|call| matches!(call, Call::Claim(..)));
        let offer = waiting.offer.take_if(|_| !is_claimed);
        Some((calls, offer))
    }

    pub(super) fn offer(&self, claim: Claim, if_backlog: bool) -> Offer {
        let mut waiting = self.lock();
        if std::mem::take(&mut waiting.has_unclaimed) {
            return Offer::Late;
        }
        let (answer, answered) = oneshot::channel();
        waiting.is_wanted_back = false;
        waiting.offer = Some(StandingOffer { claim, if_backlog, answer });
        Offer::Standing(Box::pin(async move { answered.await.unwrap_or_else(|_| Err(broken_off())) }))
    }

    /// Notes what a turn came to, before anybody is answered. An offer that it had no use for stands on.
    fn note(&self, made_available: bool, has_claimed: bool, unused: Option<StandingOffer>) {
        let mut waiting = self.lock();
        waiting.has_unclaimed = !has_claimed && (waiting.has_unclaimed || made_available);
        let is_wanted_back = std::mem::take(&mut waiting.is_wanted_back);
        match unused {
            Some(offer) if is_wanted_back => answer_claim(offer.answer, Claimed::default()),
            Some(offer) => waiting.offer = Some(offer),
            None => (),
        }
    }

    pub(super) fn withdraw(&self) -> bool {
        let mut waiting = self.lock();
        let is_here = waiting.offer.take().is_some();
        waiting.is_wanted_back = !is_here;
        is_here
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
            waiting.offer = None;
        }
    }
}

fn broken_off() -> StoreError {
    StoreError::new("turn", DriverError::Closed)
}

fn answer_claim(answer: Answer<Claimed>, claimed: Claimed) {
    let passed = if claimed.jobs.is_empty() { Ok(()) } else { FailPoint::LostClaim.pass() };
    drop(answer.send(passed.map(|()| claimed)));
}

impl Outcome {
    fn note_offer(&mut self) {
        let Self::Submit(submitted) = self else { return };
        for submitted in submitted {
            if let Submitted::Added(added) = submitted {
                added.iter_mut().for_each(|added| added.is_offered = true);
            }
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
            (Self::Claim(_, answer), Outcome::Claim(claimed)) => answer_claim(answer, claimed),
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
    use windlass_model::{
        AttemptFacts, Backoff, JobId, JsonText, NewJob, OnFailure, Priority, QueueName, RunAt, TaskName, Timestamp,
        Transition,
    };

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

    async fn open(folder: &tempfile::TempDir) -> SqliteStore {
        SqliteStore::open(&folder.path().join("queue.db")).await.unwrap()
    }

    fn worker() -> WorkerId {
        WorkerId::from_uuid(Uuid::from_u128(9))
    }

    fn standing(store: &SqliteStore, limit: u32, if_backlog: bool) -> crate::Claiming {
        let tasks = [TaskRoom { task: TaskName::parse("echo").unwrap(), room: None }];
        match store.job_offer(worker(), &tasks, limit, if_backlog) {
            Offer::Standing(claiming) => claiming,
            Offer::Late | Offer::Unknown => panic!("it does not stand"),
        }
    }

    async fn submit(store: &SqliteStore, jobs: Vec<NewJob>) -> Vec<Submitted> {
        store.job_submit(&[jobs.into()], None).await.unwrap()
    }

    fn ended(job: &windlass_model::Job) -> Finished {
        Finished {
            attempt: windlass_model::Attempt {
                job_id: job.id,
                lease: job.lease,
                attempt: job.attempt,
                worker_id: worker(),
                plugin_digest: None,
                started_at: job.created_at,
                ended_at: None,
                error: None,
                bill: None,
            },
            transition: Transition::handed_back(AttemptFacts::of(job), "enough"),
            progress: windlass_model::Progress::default(),
            steps: Vec::new(),
            logs: Vec::new(),
            artifacts: Vec::new(),
        }
    }

    #[tokio::test]
    async fn an_offer_is_taken_up_by_the_submission_that_brings_something() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        let offer = standing(&store, 1, false);
        let later = RunAt::Time(Timestamp::from_micros(i64::MAX / 2));
        let later = NewJob { run_at: Some(later), ..job(1) };
        submit(&store, vec![later]).await;
        let submitted = submit(&store, vec![job(2), job(3)]).await;
        assert!(matches!(&submitted[..], [Submitted::Added(added)] if added.iter().all(|added| added.is_offered)));
        let claimed = offer.await.unwrap();
        let ids: Vec<_> = claimed.jobs.iter().map(|job| (job.id, job.lease, job.attempt)).collect();
        assert_eq!(ids, [(job(2).id, 1, 1)], "no more than it asked for");
        assert!(!store.job_withdraw(), "it is used up");
    }

    #[tokio::test]
    async fn an_offer_for_what_is_there_is_taken_up_by_a_finish() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        submit(&store, vec![job(1), job(2)]).await;
        let first = store.job_claim(worker(), &[TaskName::parse("echo").unwrap()], 1, None).await.unwrap().jobs;
        let offer = standing(&store, 5, true);
        store.job_finish(&[ended(&first[0])], None).await.unwrap();
        let mut ids: Vec<_> = offer.await.unwrap().jobs.iter().map(|job| job.id).collect();
        ids.sort_unstable();
        assert_eq!(ids, [job(1).id, job(2).id], "what came back is available again");
    }

    #[tokio::test]
    async fn an_offer_is_late_when_jobs_came_that_nobody_has_claimed() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        submit(&store, vec![job(1)]).await;
        let tasks = [TaskRoom { task: TaskName::parse("echo").unwrap(), room: None }];
        assert!(matches!(store.job_offer(worker(), &tasks, 5, false), Offer::Late));
        assert_eq!(store.job_claim_within(worker(), &tasks, 5, None).await.unwrap().jobs.len(), 1);
        let offer = standing(&store, 5, false);
        assert!(store.job_withdraw());
        assert!(offer.await.unwrap_err().is_passing());
    }

    #[tokio::test]
    async fn an_offer_beside_a_call_that_is_refused_still_claims() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        submit(&store, vec![job(1)]).await;
        let offer = standing_late(&store).await;
        store.job_submit(&[vec![job(1)].into()], None).await.unwrap_err();
        assert_eq!(offer.await.unwrap().jobs.len(), 1);
    }

    /// An offer for a job that is there already.
    async fn standing_late(store: &SqliteStore) -> crate::Claiming {
        let tasks = [TaskRoom { task: TaskName::parse("echo").unwrap(), room: None }];
        assert!(matches!(store.job_offer(worker(), &tasks, 5, true), Offer::Late));
        standing(store, 5, true)
    }

    #[tokio::test]
    async fn a_caller_who_gives_up_leaves_the_others_their_answers() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("queue.db")).await.unwrap();
        for number in 0..50 {
            let hasty = [vec![job(2 * number)].into()];
            let mut hasty = Box::pin(store.job_submit(&hasty, None));
            // It has called, and its turn is under way, when it is dropped.
            tokio::select! {
                biased;
                // Its turn may be over before we look.
                _ = &mut hasty => (),
                () = std::future::ready(()) => (),
            }
            let patient = [vec![job(2 * number + 1)].into()];
            let patient = store.job_submit(&patient, None);
            drop(hasty);
            patient.await.unwrap();
        }
    }
}
