//! What a running attempt tells: kept in memory, written in batches.
//!
//! Nothing is written for a job that is over before the first interval has passed: its last progress goes with its finish.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::StreamExt as _;
use tokio::sync::Notify;
use tracing::warn;
use windlass_model::{Job, JobId, KeyValueAnswer, KeyValueCall, LogLine, LogStream, Progress, Timestamp};
use windlass_store::StepReport;

use crate::children::Children;
use crate::clock;
use crate::executor::Executor;
use crate::handle::{EnqueueError, EnqueueRequest};
use crate::port::{AttemptHost, HostError};
use crate::running::{Running, Signals};

/// How many reports are written at once: many jobs that tell something must not take all of the database's connections.
const WRITES: usize = 4;

/// Collects what one attempt tells.
pub(crate) struct Reporter {
    executor: Arc<Executor>,
    job: Arc<Job>,
    /// How many steps are kept in the job's history. Later ones are still shown as they come.
    max_steps: u64,
    signals: Signals,
    children: Children,
    told: Mutex<Told>,
    /// A write has ended.
    written: Notify,
}

struct Told {
    progress: Progress,
    steps: Vec<(Timestamp, Progress)>,
    logs: Vec<LogLine>,
    step_count: u64,
    is_dirty: bool,
    /// When it may be written again; never after the end.
    due: Option<Instant>,
    /// Whether a write is under way.
    is_writing: bool,
}

/// Writes what running attempts tell, for each at most once in an interval, the first time after one. Runs for ever.
pub(crate) async fn write_reports(running: Running, every: Duration) {
    // One clock for all: most attempts are over before the first interval is, and have no use for one of their own.
    let tick = (every / 4).clamp(Duration::from_millis(1), Duration::from_millis(50));
    loop {
        tokio::time::sleep(tick).await;
        let reporters = futures_util::stream::iter(running.reporters().await);
        reporters.for_each_concurrent(WRITES, async |reporter| reporter.write(every).await).await;
    }
}

/// What has not been written when an attempt ends.
#[derive(Default)]
pub(crate) struct Rest {
    pub(crate) progress: Progress,
    pub(crate) steps: Vec<(Timestamp, Progress)>,
    pub(crate) logs: Vec<LogLine>,
}

impl Reporter {
    pub(crate) fn new(executor: Arc<Executor>, job: Arc<Job>, signals: Signals) -> Self {
        let told = Told {
            progress: Progress::default(),
            steps: Vec::new(),
            logs: Vec::new(),
            step_count: 0,
            is_dirty: false,
            due: Some(Instant::now() + executor.report_every),
            is_writing: false,
        };
        Self {
            max_steps: executor.runner.limits(&job.task).progress_steps,
            children: Children::of(&job),
            executor,
            job,
            signals,
            told: Mutex::new(told),
            written: Notify::new(),
        }
    }

    /// Takes what has not been written, once the attempt is over. A write that is under way comes first: after the job's end it would
    /// be stale, and what is in it would be lost.
    pub(crate) async fn take_rest(&self) -> Rest {
        loop {
            let written = self.written.notified();
            if let Some(rest) = self.try_take_rest() {
                return rest;
            }
            written.await;
        }
    }

    fn try_take_rest(&self) -> Option<Rest> {
        let mut told = self.lock();
        told.due = None;
        (!told.is_writing).then(|| Rest {
            progress: std::mem::take(&mut told.progress),
            steps: std::mem::take(&mut told.steps),
            logs: std::mem::take(&mut told.logs),
        })
    }

    async fn write(&self, every: Duration) {
        let Some(report) = self.take_report(every) else { return };
        let id = self.job.id;
        match self.executor.queue.job_report(&report, None).await {
            Ok(true) => self.executor.bus.publish_progress([id]),
            Ok(false) => {
                warn!(job.id = %id, job.lease = self.job.lease, "Job {id} was taken away while it ran here: stopping it");
                self.signals.interrupt.cancel();
            }
            Err(fault) => {
                warn!(job.id = %id, error = &fault as &dyn std::error::Error,
                    "Cannot write the progress of job {id}, trying again: {fault}");
                self.put_back(report);
            }
        }
        self.lock().is_writing = false;
        self.written.notify_one();
    }

    fn take_report(&self, every: Duration) -> Option<StepReport> {
        let mut told = self.lock();
        let now = Instant::now();
        if told.due.is_none_or(|due| now < due) || !std::mem::take(&mut told.is_dirty) {
            return None;
        }
        (told.due, told.is_writing) = (Some(now + every), true);
        Some(StepReport {
            id: self.job.id,
            lease: self.job.lease,
            attempt: self.job.attempt,
            progress: told.progress.clone(),
            steps: std::mem::take(&mut told.steps),
            logs: std::mem::take(&mut told.logs),
        })
    }

    fn put_back(&self, mut report: StepReport) {
        let mut told = self.lock();
        report.steps.append(&mut told.steps);
        report.logs.append(&mut told.logs);
        told.steps = report.steps;
        told.logs = report.logs;
        told.is_dirty = true;
    }

    fn line(&self, stream: LogStream, text: String) -> LogLine {
        LogLine { seq: 0, at: clock::now(), attempt: self.job.attempt, stream, text }
    }

    fn lock(&self) -> MutexGuard<'_, Told> {
        // Plain data, whole after every step, so a panic elsewhere does not spoil it.
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl AttemptHost for Reporter {
    fn progress(&self, report: Progress) {
        let mut told = self.lock();
        if told.progress.absorb(report) {
            told.step_count += 1;
            match told.step_count {
                count if count <= self.max_steps => {
                    let step = told.progress.clone();
                    told.steps.push((clock::now(), step));
                }
                count if count == self.max_steps + 1 => {
                    let max = self.max_steps;
                    let text = format!("Steps are shown and not kept from here on: {max} are kept of an attempt.");
                    told.logs.push(self.line(LogStream::Host, text));
                }
                _ => (),
            }
        }
        told.is_dirty = true;
    }

    fn log(&self, stream: LogStream, text: String) {
        let line = self.line(stream, text);
        let mut told = self.lock();
        told.logs.push(line);
        told.is_dirty = true;
    }

    fn is_cancelled(&self) -> bool {
        self.signals.cancel.is_cancelled() || self.signals.interrupt.is_cancelled()
    }

    async fn save_checkpoint(&self, data: Vec<u8>) -> Result<(), HostError> {
        match self.executor.queue.checkpoint_save(self.job.id, self.job.lease, &data).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.signals.interrupt.cancel();
                Err(HostError("the job was taken away from this worker".to_owned()))
            }
            Err(fault) => Err(HostError(format!("cannot keep a checkpoint: {fault}"))),
        }
    }

    async fn load_checkpoint(&self) -> Result<Option<Vec<u8>>, HostError> {
        self.executor
            .queue
            .checkpoint_load(self.job.id)
            .await
            .map_err(|fault| HostError(format!("cannot read the checkpoint: {fault}")))
    }

    async fn enqueue(&self, request: EnqueueRequest, fingerprint: String) -> Result<JobId, EnqueueError> {
        self.children.enqueue(&self.executor, request, fingerprint).await
    }

    async fn key_value(&self, call: KeyValueCall) -> Result<KeyValueAnswer, HostError> {
        let Job { id, lease, task, .. } = &*self.job;
        let answer = self.executor.key_values.key_value(*id, *lease, task, &call).await;
        if matches!(answer, Ok(KeyValueAnswer::Stale)) {
            self.signals.interrupt.cancel();
        }
        answer.map_err(|fault| HostError(format!("cannot reach the key-value store: {fault}")))
    }
}
