//! A queue in memory and a runner without a sandbox: what is left is the engine.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use tempfile::TempDir;
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use windlass_engine::{
    ArgsFault, ArtifactError, AttemptHost, AttemptOrder, AttemptReport, CheckedVersion, Engine, EngineSettings, Stores,
    TaskRunner, VersionFault, now,
};
use windlass_model::{
    Artifact, AttemptOutcome, Backoff, Job, JobId, JobState, JsonText, Priority, Progress, QueueName, Submission,
    TaskInfo, TaskLimits, TaskName, Timestamp, WorkerId,
};
use windlass_store::{
    CancelOutcome, Claimed, FinishOutcome, Finished, JobInbox, JobQueue, RetryOutcome, SqliteStore, StepReport,
    StoreError, Submitted, TaskRoom,
};

/// Hands out jobs and takes their ends.
#[derive(Default)]
pub(crate) struct MemoryQueue {
    pub(crate) jobs: Mutex<Jobs>,
    pub(crate) changed: Notify,
    /// How many claims and how many finishes there were.
    pub(crate) claims: AtomicU64,
    pub(crate) finishes: AtomicU64,
    /// How long a finish takes, and how much longer for each job.
    pub(crate) commit: (Duration, Duration),
    /// Lets reports be written, one for each permit; all if absent.
    pub(crate) reports: Option<Semaphore>,
    /// A report is being written.
    pub(crate) reporting: Notify,
    /// Whether a claim that finds nothing waits until there is something.
    pub(crate) is_patient: bool,
    pub(crate) filled: Notify,
}

#[derive(Default)]
pub(crate) struct Jobs {
    waiting: VecDeque<Job>,
    running: BTreeMap<JobId, Job>,
    ended: Vec<Finished>,
}

impl MemoryQueue {
    pub(crate) fn put(&self, jobs: impl Iterator<Item = Job>) {
        self.jobs.lock().unwrap().waiting.extend(jobs);
        self.filled.notify_one();
    }

    /// The jobs that are claimed and have not ended.
    pub(crate) fn running(&self) -> Vec<Job> {
        self.jobs.lock().unwrap().running.values().cloned().collect()
    }

    /// The ends that it took, which it forgets.
    pub(crate) fn take_ended(&self) -> Vec<Finished> {
        std::mem::take(&mut self.jobs.lock().unwrap().ended)
    }

    /// Waits until so many jobs are claimed and so many have ended.
    pub(crate) async fn until(&self, what: impl Fn(usize, usize) -> bool) {
        let reached = async {
            loop {
                let changed = self.changed.notified();
                let (running, ended) = {
                    let jobs = self.jobs.lock().unwrap();
                    (jobs.running.len(), jobs.ended.len())
                };
                if what(running, ended) {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), reached).await.expect("it never came to that");
    }
}

#[async_trait]
impl JobInbox for MemoryQueue {
    async fn job_submit(&self, _: &[Submission], _: Option<Timestamp>) -> Result<Vec<Submitted>, StoreError> {
        unreachable!("jobs are put here, not enqueued")
    }

    async fn job_cancel(&self, id: JobId, _: Option<Timestamp>) -> Result<CancelOutcome, StoreError> {
        let running = self.jobs.lock().unwrap().running.get(&id).cloned();
        Ok(running.map_or(CancelOutcome::NotFound, |job| CancelOutcome::Requested(Box::new(job))))
    }

    async fn job_retry(&self, _: JobId, _: Option<Timestamp>) -> Result<RetryOutcome, StoreError> {
        Ok(RetryOutcome::NotFound)
    }
}

#[async_trait]
impl JobQueue for MemoryQueue {
    async fn job_claim_within(
        &self,
        worker: WorkerId,
        tasks: &[TaskRoom],
        limit: u32,
        _: Option<Timestamp>,
    ) -> Result<Claimed, StoreError> {
        self.claims.fetch_add(1, Ordering::Relaxed);
        while self.is_patient && self.jobs.lock().unwrap().waiting.is_empty() {
            self.filled.notified().await;
        }
        let mut jobs = self.jobs.lock().unwrap();
        let room = |task: &TaskRoom| task.room.unwrap_or(limit);
        let limit = tasks.iter().map(room).max().unwrap_or(0).min(limit) as usize;
        let found = jobs.waiting.len().min(limit);
        let mut claimed: Vec<_> = jobs.waiting.drain(..found).collect();
        for job in &mut claimed {
            (job.state, job.worker_id, job.started_at) = (JobState::Running, Some(worker), Some(now()));
            job.lease += 1;
            job.attempt += 1;
            jobs.running.insert(job.id, job.clone());
        }
        self.changed.notify_one();
        Ok(Claimed { jobs: claimed, ..Claimed::default() })
    }

    async fn job_finish(&self, finished: &[Finished], _: Option<Timestamp>) -> Result<Vec<FinishOutcome>, StoreError> {
        self.finishes.fetch_add(1, Ordering::Relaxed);
        let (whole, each) = self.commit;
        if !whole.is_zero() {
            tokio::time::sleep(whole + each * u32::try_from(finished.len()).unwrap()).await;
        }
        let mut jobs = self.jobs.lock().unwrap();
        let outcome = |finished: &Finished| match jobs.running.remove(&finished.attempt.job_id) {
            Some(_) => FinishOutcome::Recorded,
            None => FinishOutcome::Stale,
        };
        let outcomes = finished.iter().map(outcome).collect();
        jobs.ended.extend(finished.iter().cloned());
        self.changed.notify_one();
        Ok(outcomes)
    }

    async fn job_report(&self, report: &StepReport, _: Option<Timestamp>) -> Result<bool, StoreError> {
        self.reporting.notify_one();
        if let Some(gate) = &self.reports {
            gate.acquire().await.unwrap().forget();
        }
        Ok(self.jobs.lock().unwrap().running.contains_key(&report.id))
    }

    async fn checkpoint_save(&self, _: JobId, _: u64, _: &[u8]) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn checkpoint_load(&self, _: JobId) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }
}

/// Reports once and returns what it got. A job with a tag waits for the gate first.
pub(crate) struct Echo {
    pub(crate) gate: Semaphore,
    pub(crate) concurrency: Option<u32>,
    pub(crate) changes: watch::Sender<u64>,
}

impl Default for Echo {
    fn default() -> Self {
        Self { gate: Semaphore::new(0), concurrency: None, changes: watch::Sender::new(0) }
    }
}

pub(crate) fn task() -> TaskName {
    TaskName::parse("echo").unwrap()
}

#[async_trait]
impl TaskRunner for Echo {
    fn tasks(&self) -> Vec<TaskInfo> {
        Vec::new()
    }

    fn task(&self, _: &TaskName) -> Option<Arc<TaskInfo>> {
        None
    }

    fn limits(&self, _: &TaskName) -> TaskLimits {
        TaskLimits { concurrency: self.concurrency, ..TaskLimits::default() }
    }

    fn loaded(&self) -> Vec<TaskName> {
        vec![task()]
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn check_version(&self, _: &TaskName, _: Bytes) -> Result<CheckedVersion, VersionFault> {
        Err(VersionFault::Component("there are no versions here".to_owned()))
    }

    async fn refresh(&self) {}

    fn component_max(&self) -> u64 {
        0
    }

    fn check_args(&self, _: &TaskName, _: &JsonText) -> Result<(), Vec<ArgsFault>> {
        Ok(())
    }

    async fn run(
        &self,
        order: AttemptOrder,
        host: Arc<dyn AttemptHost>,
        interrupt: CancellationToken,
    ) -> AttemptReport {
        host.progress(Progress { percent_complete: Some(50), ..Progress::default() });
        let passes = async {
            if !order.job.tags.is_empty() {
                self.gate.acquire().await.unwrap().forget();
            }
        };
        let outcome = tokio::select! {
            biased;
            () = interrupt.cancelled() => AttemptOutcome::Interrupted,
            () = passes => AttemptOutcome::Completed(order.job.args.clone()),
        };
        AttemptReport { outcome, plugin_digest: None, artifacts: Vec::new(), bill: None }
    }

    async fn clean_up(&self, _: &[JobId]) {}

    async fn remove_artifacts(&self, _: &[JobId]) {}

    async fn artifact_jobs(&self) -> Vec<JobId> {
        Vec::new()
    }

    async fn artifact(
        &self,
        _: JobId,
        _: &Artifact,
        _: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>, ArtifactError> {
        Err(ArtifactError::Gone)
    }
}

/// Starts an engine on these; a real database behind it sees to the rest.
pub(crate) async fn start(queue: &Arc<MemoryQueue>, runner: &Arc<Echo>, settings: EngineSettings) -> (Engine, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("windlass.db")).await.unwrap();
    let stores = Stores::of(Arc::new(store)).jobs_in(queue.clone());
    (Engine::start(stores, runner.clone(), settings).await.unwrap(), folder)
}

/// A job that waits for nothing, or for the gate.
pub(crate) fn job(waits: bool) -> Job {
    Job {
        id: windlass_engine::new_job_id(),
        task: task(),
        queue: QueueName::default(),
        priority: Priority::default(),
        state: JobState::Available,
        args: JsonText::trusted(format!(r#"{{"name":"{}"}}"#, "Ada ".repeat(50))),
        output: None,
        error: None,
        attempt: 0,
        max_attempts: 5,
        timeout: Some(Duration::from_secs(1_800)),
        backoff: Backoff::default(),
        lease: 0,
        worker_id: None,
        crash_count: 0,
        host_fault_count: 0,
        cancel_requested_at: None,
        progress: Progress::default(),
        tags: if waits { vec!["waits".to_owned()] } else { Vec::new() },
        metadata: JsonText::empty_object(),
        plugin_digest: None,
        created_at: now(),
        run_at: now(),
        started_at: None,
        finished_at: None,
        expires_at: None,
        concurrency_key: None,
        parent_id: None,
        waits_for: 0,
        bill: None,
    }
}
