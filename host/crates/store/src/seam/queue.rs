//! What the loop that runs jobs needs.

use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use windlass_model::{Artifact, Attempt, Job, JobId, LogLine, Progress, TaskName, Timestamp, Transition, WorkerId};

use crate::StoreError;

/// Claim, report, finish.
///
/// Every call that is about a running job names its lease and does nothing unless the job is running under exactly that
/// lease: whoever holds an older one has lost the job, whatever it still believes.
#[async_trait]
pub trait JobQueue: Send + Sync {
    /// Claims at most `limit` available jobs of the given tasks for a worker, and returns them as they are after that:
    /// `running`, `lease` and `attempt` one higher, `started_at` now, progress empty, and with a history that says so.
    ///
    /// Jobs come by priority, then by `run_at`, then by id, over all queues. No job is handed out twice. Nothing is claimed from
    /// a queue that is paused, nor a job that has expired. Claims nothing if `limit` is 0 or `tasks` is empty. Not to be repeated
    /// for the same slots: a claim whose answer is lost is found by the rescue.
    ///
    /// A queue's limits hold whoever claims: no more than `max_running` of its jobs run at once, no more than
    /// `max_running_per_key` of them with the same concurrency key, and no more start within any period than its rate allows. A
    /// job whose key is taken holds up none behind it. A claim that is under way while a queue is changed may go by what was set
    /// before.
    ///
    /// A queue with limits that another claim holds is left out, not waited for.
    ///
    /// Of a task with `room` no more than that are claimed. A job whose task has no room left holds up none behind it.
    async fn job_claim_within(
        &self,
        worker: WorkerId,
        tasks: &[TaskRoom],
        limit: u32,
        now: Option<Timestamp>,
    ) -> Result<Claimed, StoreError>;

    /// Offers to claim at most `limit` jobs in a transaction that is begun anyway: in the next submission or finish that makes jobs
    /// available, or, `if_backlog`, in the next one at all. The rules are those of [`job_claim_within`](Self::job_claim_within). An
    /// offer that stands must be withdrawn before there is another.
    fn job_offer(&self, worker: WorkerId, tasks: &[TaskRoom], limit: u32, if_backlog: bool) -> Offer {
        let _ = (worker, tasks, limit, if_backlog);
        Offer::Unknown
    }

    /// Takes the offer back. Returns false if there is none or a transaction has taken it up.
    fn job_withdraw(&self) -> bool {
        false
    }

    /// The same where no task is bounded.
    async fn job_claim(
        &self,
        worker: WorkerId,
        tasks: &[TaskName],
        limit: u32,
        now: Option<Timestamp>,
    ) -> Result<Claimed, StoreError> {
        let tasks: Vec<_> = tasks.iter().map(|task| TaskRoom { task: task.clone(), room: None }).collect();
        self.job_claim_within(worker, &tasks, limit, now).await
    }

    /// Writes down how attempts ended: the job's next state, the attempt, the history, the log's rest, the artifacts; all
    /// of the list in one transaction, each fenced for itself. Returns an outcome for each, in the given order.
    ///
    /// A job that somebody wants cancelled and that would run again is `cancelled` in the same transaction: the wish may
    /// have come after the caller last looked.
    ///
    /// May be repeated: what was written the first time is stale the second.
    async fn job_finish(&self, finished: &[Finished], now: Option<Timestamp>)
    -> Result<Vec<FinishOutcome>, StoreError>;

    /// Writes down how far a job is, its steps since the last call (each one an entry of its history, in order), and lines
    /// of its log. Returns false, and writes nothing, if the lease is stale.
    async fn job_report(&self, report: &StepReport, now: Option<Timestamp>) -> Result<bool, StoreError>;

    /// Keeps a checkpoint in place of the one before. Returns false, and writes nothing, if the lease is stale.
    async fn checkpoint_save(&self, id: JobId, lease: u64, data: &[u8]) -> Result<bool, StoreError>;

    /// What was kept last for the job, by any attempt. `None` if nothing was, or the job is over or not there.
    async fn checkpoint_load(&self, id: JobId) -> Result<Option<Vec<u8>>, StoreError>;
}

/// A claim that is under way.
pub type Claiming = Pin<Box<dyn Future<Output = Result<Claimed, StoreError>> + Send>>;

/// What became of an offer.
pub enum Offer {
    /// It stands. What is claimed comes out of this: jobs are lost to their worker if it is dropped and the offer not withdrawn.
    Standing(Claiming),
    /// It does not: since the last claim such a transaction made jobs available, so there is something to claim now.
    Late,
    /// There are none here: many write, and no transaction is shared.
    Unknown,
}

/// A task whose jobs are to be claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskRoom {
    /// The task.
    pub task: TaskName,
    /// How many of its jobs at most; as many as there are, if absent.
    pub room: Option<u32>,
}

/// What was claimed.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// The jobs, in their order.
    pub jobs: Vec<Job>,
    /// After how long there may be something to claim without anybody saying so: a rate leaves room again, or another claim
    /// will have let go of a queue.
    pub again_in: Option<Duration>,
    /// Whether there were bounds other than `limit`: an end may leave room for what is available already.
    pub is_bounded: bool,
}

/// How one attempt ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// The attempt. `ended_at` is filled in by the store; `error` is the transition's.
    pub attempt: Attempt,
    /// What becomes of the job.
    pub transition: Transition,
    /// How far it came.
    pub progress: Progress,
    /// Steps that have not been written yet, with their times.
    pub steps: Vec<(Timestamp, Progress)>,
    /// Lines of its log that have not been written yet.
    pub logs: Vec<LogLine>,
    /// The files it left behind; only those of a completed job are kept.
    pub artifacts: Vec<Artifact>,
}

/// What became of a finish.
#[derive(Clone, Debug)]
pub enum FinishOutcome {
    /// The job went to its next state.
    Recorded,
    /// The lease was stale: nothing was written.
    Stale,
}

/// How far a running job is.
#[derive(Clone, Debug)]
pub struct StepReport {
    /// The job.
    pub id: JobId,
    /// The lease it runs under.
    pub lease: u64,
    /// The attempt's number.
    pub attempt: u32,
    /// The last that was told.
    pub progress: Progress,
    /// Steps since the last report, with their times.
    pub steps: Vec<(Timestamp, Progress)>,
    /// Lines of its log since the last report.
    pub logs: Vec<LogLine>,
}
