//! Takes one claimed job through its attempt, in named steps: begin, run, classify, record.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};
use windlass_model::{Attempt, AttemptFacts, AttemptOutcome, Bounds, Job, JobState, TaskName, Transition, WorkerId};
use windlass_store::{FinishOutcome, Finished, JobQueue, KeyValues, RollbackOutcome};

use crate::bus::Bus;
use crate::children::Children;
use crate::clock;
use crate::crowds::Crowds;
use crate::enqueue::Enqueuer;
use crate::finisher::Finisher;
use crate::first_attempts::{FirstAttempts, Sign};
use crate::port::{AttemptOrder, AttemptReport, TaskRunner};
use crate::reporter::Reporter;
use crate::running::{Running, Signals};
use crate::slots::Slot;
use crate::versions::Versions;
use crate::wake::Wake;

/// Runs attempts.
pub(crate) struct Executor {
    pub(crate) worker: WorkerId,
    pub(crate) queue: Arc<dyn JobQueue>,
    pub(crate) key_values: Arc<dyn KeyValues>,
    pub(crate) runner: Arc<dyn TaskRunner>,
    pub(crate) enqueuer: Enqueuer,
    pub(crate) crowds: Arc<Crowds>,
    pub(crate) finisher: Finisher,
    pub(crate) running: Running,
    pub(crate) versions: Versions,
    pub(crate) first_attempts: FirstAttempts,
    pub(crate) bus: Bus,
    pub(crate) wake: Wake,
    pub(crate) tracker: TaskTracker,
    pub(crate) report_every: Duration,
    pub(crate) cancel_grace: Duration,
    pub(crate) bounds: Bounds,
}

/// An attempt that has begun.
struct Begun {
    order: AttemptOrder,
    signals: Signals,
    reporter: Arc<Reporter>,
}

impl Executor {
    /// Runs a claimed job in a task of its own. The slot is given back when the attempt's outcome is durable.
    pub(crate) fn start(self: Arc<Self>, job: Job, slot: Slot) {
        let tracker = self.tracker.clone();
        tracker.spawn(async move {
            self.execute(job).await;
            drop(slot);
            self.wake.dispatcher();
        });
    }

    async fn execute(&self, job: Job) {
        self.bus.publish([job.id]);
        let begun = self.begin(job);
        let report = self.run(&begun).await;
        let (sign, task) = (Sign::of(&report.outcome), begun.order.job.task.clone());
        let digest = report.plugin_digest.clone();
        let finished = self.classify(&begun, report);
        let is_recorded = self.record(begun, finished).await;
        if let Some(digest) = digest.filter(|_| is_recorded) {
            self.judge(&task, &digest, sign).await;
        }
    }

    fn begin(&self, job: Job) -> Begun {
        let signals = self.running.add(job.id, job.lease);
        if job.cancel_requested_at.is_some() {
            // The wish came while an earlier attempt ran.
            signals.cancel.cancel();
            signals.interrupt.cancel();
        }
        let children = Children::of(&job, self.enqueuer.clone(), self.runner.clone(), self.crowds.clone());
        let max_steps = self.runner.limits(&job.task).progress_steps;
        let reporter = Reporter::new(
            &job,
            max_steps,
            self.queue.clone(),
            self.key_values.clone(),
            self.bus.clone(),
            signals.clone(),
            children,
        );
        let reporter = Arc::new(reporter);
        let deadline = job.timeout.map(|timeout| clock::now().plus(timeout));
        debug!(job.id = %job.id, task = %job.task, attempt = job.attempt, "Job {} starts attempt {}", job.id, job.attempt);
        Begun { order: AttemptOrder { job, deadline }, signals, reporter }
    }

    async fn run(&self, begun: &Begun) -> AttemptReport {
        let over = CancellationToken::new();
        let reporting = begun.reporter.clone().run(self.report_every, over.clone());
        let grace = interrupt_after_grace(begun.signals.clone(), self.cancel_grace, over.clone());
        let attempt = async {
            let _over = over.drop_guard();
            self.runner.run(begun.order.clone(), begun.reporter.clone(), begun.signals.interrupt.clone()).await
        };
        let (report, (), ()) = tokio::join!(attempt, reporting, grace);
        report
    }

    fn classify(&self, begun: &Begun, report: AttemptReport) -> Finished {
        let job = &begun.order.job;
        let facts = AttemptFacts { cancel_requested: begun.signals.cancel.is_cancelled(), ..AttemptFacts::of(job) };
        if let AttemptOutcome::HostFault(message) = &report.outcome {
            warn!(job.id = %job.id, task = %job.task, "The host failed job {}: {message}", job.id);
        }
        let transition = Transition::after(facts, report.outcome, self.bounds, clock::spread());
        let rest = begun.reporter.take_rest();
        Finished {
            attempt: Attempt {
                job_id: job.id,
                lease: job.lease,
                attempt: job.attempt,
                worker_id: self.worker,
                plugin_digest: report.plugin_digest,
                started_at: job.started_at.unwrap_or(job.created_at),
                ended_at: None,
                error: None,
                bill: report.bill,
            },
            transition,
            progress: rest.progress,
            steps: rest.steps,
            logs: rest.logs,
            artifacts: report.artifacts,
        }
    }

    /// Writes the end down, and returns whether it counts.
    async fn record(&self, begun: Begun, finished: Finished) -> bool {
        let job = begun.order.job;
        let to = finished.transition.to;
        let outcome = self.finisher.finish(finished).await;
        self.running.remove(job.id, job.lease);
        let is_recorded = matches!(outcome, Some(FinishOutcome::Recorded));
        match outcome {
            Some(FinishOutcome::Recorded) => {
                let duration_ms = job.started_at.map_or(0, |start| clock::now().since(start).as_millis());
                info!(job.id = %job.id, task = %job.task, queue.name = %job.queue, job.state = %to, attempt = job.attempt, duration_ms,
                    "Job {} ({}) ended attempt {} as {to} after {duration_ms} ms", job.id, job.task, job.attempt);
                if to.is_final() {
                    self.runner.clean_up(job.id).await;
                } else if matches!(to, JobState::Retryable | JobState::Scheduled) {
                    self.wake.promoter();
                }
            }
            Some(FinishOutcome::Stale) => {
                warn!(job.id = %job.id, job.lease = job.lease,
                    "Job {} was taken away while it ran here (lease {}): what it came to is dropped", job.id, job.lease);
            }
            // Only when the daemon gave up on the database while it shut down; the rescue finds the job.
            None => {
                warn!(job.id = %job.id, "Job {} ended, but that could not be written down before the daemon stopped", job.id)
            }
        }
        self.bus.publish([job.id]);
        is_recorded
    }

    /// Rolls a version back whose first attempts all trapped, if its grants file asks for that.
    async fn judge(&self, task: &TaskName, digest: &str, sign: Sign) {
        let Some(info) = self.runner.task(task) else { return };
        let Some(version) = &info.version else { return };
        // What an attempt of another version came to says nothing of this one.
        let Some(limit) = version.auto_rollback.filter(|_| version.digest == digest) else { return };
        let Some(broken) = self.first_attempts.count(task, digest, sign).filter(|broken| *broken >= limit) else {
            return;
        };
        match self.versions.roll_back_by_itself(task, digest, broken).await {
            Ok(RollbackOutcome::RolledBack(_)) => self.wake.shelver(),
            // It is pinned, there is none before it, or another is in service meanwhile.
            Ok(RollbackOutcome::Refused(_) | RollbackOutcome::NotFound) => self.first_attempts.give_up(task, digest),
            Err(fault) => warn!(
                error = &fault as &dyn std::error::Error, task.name = %task,
                "Cannot roll `{task}` back, trying again after the next trap: {fault}"
            ),
        }
    }
}

/// Lets a handler that was told of a cancel go on for a while, then interrupts it.
async fn interrupt_after_grace(signals: Signals, grace: Duration, over: CancellationToken) {
    let told = async {
        signals.cancel.cancelled().await;
        tokio::time::sleep(grace).await;
        signals.interrupt.cancel();
    };
    tokio::select! {
        () = over.cancelled() => (),
        () = told => (),
    }
}
