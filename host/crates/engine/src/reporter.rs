//! What a running attempt tells: kept in memory, written in batches.
//!
//! Nothing is written for a job that is over before the first interval has passed: its last progress goes with its finish.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use windlass_model::{Job, JobId, KeyValueAnswer, KeyValueCall, LogLine, LogStream, Progress, TaskName, Timestamp};
use windlass_store::{JobQueue, KeyValues, StepReport};

use crate::bus::Bus;
use crate::children::Children;
use crate::clock;
use crate::handle::{EnqueueError, EnqueueRequest};
use crate::port::{AttemptHost, HostError};
use crate::running::Signals;

/// Collects what one attempt tells, and writes it now and then.
pub(crate) struct Reporter {
    id: JobId,
    lease: u64,
    task: TaskName,
    attempt: u32,
    /// How many steps are kept in the job's history. Later ones are still shown as they come.
    max_steps: u64,
    queue: Arc<dyn JobQueue>,
    bus: Bus,
    signals: Signals,
    children: Children,
    key_values: Arc<dyn KeyValues>,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    progress: Progress,
    steps: Vec<(Timestamp, Progress)>,
    logs: Vec<LogLine>,
    step_count: u64,
    is_dirty: bool,
}

/// What has not been written when an attempt ends.
pub(crate) struct Rest {
    pub(crate) progress: Progress,
    pub(crate) steps: Vec<(Timestamp, Progress)>,
    pub(crate) logs: Vec<LogLine>,
}

impl Reporter {
    pub(crate) fn new(
        job: &Job,
        max_steps: u64,
        queue: Arc<dyn JobQueue>,
        key_values: Arc<dyn KeyValues>,
        bus: Bus,
        signals: Signals,
        children: Children,
    ) -> Self {
        Self {
            id: job.id,
            lease: job.lease,
            task: job.task.clone(),
            attempt: job.attempt,
            max_steps,
            queue,
            bus,
            signals,
            children,
            key_values,
            told: Mutex::default(),
        }
    }

    /// Writes what was told, at most once in every interval, until the attempt is over.
    pub(crate) async fn run(self: Arc<Self>, every: Duration, over: CancellationToken) {
        let mut interval = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = over.cancelled() => return,
                _ = interval.tick() => self.write().await,
            }
        }
    }

    /// Takes what has not been written.
    pub(crate) fn take_rest(&self) -> Rest {
        let mut told = self.lock();
        Rest {
            progress: told.progress.clone(),
            steps: std::mem::take(&mut told.steps),
            logs: std::mem::take(&mut told.logs),
        }
    }

    async fn write(&self) {
        let Some(report) = self.take_report() else { return };
        match self.queue.job_report(&report, None).await {
            Ok(true) => self.bus.publish([self.id]),
            Ok(false) => {
                warn!(job.id = %self.id, job.lease = self.lease, "Job {} was taken away while it ran here: stopping it", self.id);
                self.signals.interrupt.cancel();
            }
            Err(fault) => {
                warn!(job.id = %self.id, error = &fault as &dyn std::error::Error,
                    "Cannot write the progress of job {}, trying again: {fault}", self.id);
                self.put_back(report);
            }
        }
    }

    fn take_report(&self) -> Option<StepReport> {
        let mut told = self.lock();
        if !std::mem::take(&mut told.is_dirty) {
            return None;
        }
        Some(StepReport {
            id: self.id,
            lease: self.lease,
            attempt: self.attempt,
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
        LogLine { seq: 0, at: clock::now(), attempt: self.attempt, stream, text }
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
        match self.queue.checkpoint_save(self.id, self.lease, &data).await {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.signals.interrupt.cancel();
                Err(HostError("the job was taken away from this worker".to_owned()))
            }
            Err(fault) => Err(HostError(format!("cannot keep a checkpoint: {fault}"))),
        }
    }

    async fn load_checkpoint(&self) -> Result<Option<Vec<u8>>, HostError> {
        self.queue
            .checkpoint_load(self.id)
            .await
            .map_err(|fault| HostError(format!("cannot read the checkpoint: {fault}")))
    }

    async fn enqueue(&self, request: EnqueueRequest, fingerprint: String) -> Result<JobId, EnqueueError> {
        self.children.enqueue(request, fingerprint).await
    }

    async fn key_value(&self, call: KeyValueCall) -> Result<KeyValueAnswer, HostError> {
        let answer = self.key_values.key_value(self.id, self.lease, &self.task, &call).await;
        if matches!(answer, Ok(KeyValueAnswer::Stale)) {
            self.signals.interrupt.cancel();
        }
        answer.map_err(|fault| HostError(format!("cannot reach the key-value store: {fault}")))
    }
}
