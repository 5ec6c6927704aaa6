//! Takes one claimed job through its attempt, in named steps: begin, run, classify, record.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, info, warn};
use windlass_model::{Attempt, AttemptFacts, AttemptOutcome, Bounds, Job, JobState, Transition, WorkerId};
use windlass_store::{FinishOutcome, Finished, JobQueue, KeyValues};

use crate::bus::Bus;
use crate::children::Children;
use crate::clock;
use crate::enqueue::Enqueuer;
use crate::finisher::Finisher;
use crate::port::{AttemptOrder, AttemptReport, TaskRunner};
use crate::reporter::Reporter;
use crate::running::{Running, Signals};
use crate::wake::Wake;

/// Runs attempts.
pub(crate) struct Executor {
    pub(crate) worker: WorkerId,
    pub(crate) queue: Arc<dyn JobQueue>,
    pub(crate) key_values: Arc<dyn KeyValues>,
    pub(crate) runner: Arc<dyn TaskRunner>,
    pub(crate) enqueuer: Enqueuer,
    pub(crate) finisher: Finisher,
    pub(crate) running: Running,
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
    pub(crate) fn start(self: Arc<Self>, job: Job, slot: Option<OwnedSemaphorePermit>) {
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
        let finished = self.classify(&begun, report);
        self.record(begun, finished).await;
    }

    fn begin(&self, job: Job) -> Begun {
        let signals = self.running.add(job.id, job.lease);
        if job.cancel_requested_at.is_some() {
            // The wish came while an earlier attempt ran.
            signals.cancel.cancel();
            signals.interrupt.cancel();
        }
        let children = Children::of(&job, self.enqueuer.clone(), self.runner.clone());
        let reporter = Reporter::new(
            &job,
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
            },
            transition,
            progress: rest.progress,
            steps: rest.steps,
            logs: rest.logs,
            artifacts: report.artifacts,
        }
    }

    async fn record(&self, begun: Begun, finished: Finished) {
        let job = begun.order.job;
        let to = finished.transition.to;
        let outcome = self.finisher.finish(finished).await;
        self.running.remove(job.id, job.lease);
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
