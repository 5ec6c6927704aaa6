//! Takes one claimed job through its attempt, in named steps: begin, run, classify. Once its end is durable the settler goes on.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};
use windlass_model::{Attempt, AttemptFacts, AttemptOutcome, Bounds, Job, Transition, WorkerId};
use windlass_store::{Finished, JobQueue, KeyValues};

use crate::buffer::Buffered;
use crate::bus::Bus;
use crate::clock;
use crate::crowds::Crowds;
use crate::enqueue::Enqueuer;
use crate::finisher::Finisher;
use crate::first_attempts::Sign;
use crate::port::{AttemptOrder, AttemptReport, TaskRunner};
use crate::reporter::{Reporter, Rest};
use crate::running::{Running, Signals};
use crate::settler::{Ending, Held};
use crate::slots::Slot;

/// Runs attempts.
pub(crate) struct Executor {
    pub(crate) worker: WorkerId,
    pub(crate) queue: Arc<dyn JobQueue>,
    pub(crate) key_values: Arc<dyn KeyValues>,
    pub(crate) runner: Arc<dyn TaskRunner>,
    /// Where the runner wants its attempts to be polled.
    pub(crate) threads: Handle,
    pub(crate) enqueuer: Enqueuer,
    pub(crate) crowds: Arc<Crowds>,
    pub(crate) finisher: Finisher<Ending>,
    pub(crate) running: Running,
    pub(crate) bus: Bus,
    pub(crate) tracker: TaskTracker,
    pub(crate) report_every: Duration,
    pub(crate) bounds: Bounds,
}

/// An attempt that has begun.
struct Begun {
    job: Arc<Job>,
    signals: Signals,
    reporter: Arc<Reporter>,
}

impl Executor {
    /// Runs a claimed job in a task of its own. The slot is given back when the attempt's outcome is durable.
    pub(crate) fn start(self: &Arc<Self>, job: Buffered) {
        let (executor, Buffered { job, signals, claim, .. }) = (Arc::clone(self), job);
        let slot = claim.start();
        self.tracker.spawn_on(async move { executor.execute(job, signals, slot).await }, &self.threads);
    }

    /// Hands back a job that was claimed and not started. It costs no attempt.
    pub(crate) fn hand_back(&self, job: Buffered, why: &str) {
        let Buffered { job, signals, claim, .. } = job;
        let facts = AttemptFacts { cancel_requested: signals.cancel.is_cancelled(), ..AttemptFacts::of(&job) };
        let report = AttemptReport {
            outcome: AttemptOutcome::Interrupted,
            plugin_digest: None,
            artifacts: Vec::new(),
            bill: None,
        };
        let finished = self.finished(&job, Transition::handed_back(facts, why), report, Rest::default());
        self.finish(Arc::new(job), finished, Sign::Nothing, Held::Claim(claim));
    }

    async fn execute(self: &Arc<Self>, job: Job, signals: Signals, slot: Slot) {
        let begun = self.begin(job, signals);
        let report = self.run(&begun).await;
        let sign = Sign::of(&report.outcome);
        let finished = self.classify(&begun, report).await;
        self.finish(begun.job, finished, sign, Held::Slot(slot));
    }

    fn begin(self: &Arc<Self>, job: Job, signals: Signals) -> Begun {
        let job = Arc::new(job);
        if job.cancel_requested_at.is_some() || signals.cancel.is_cancelled() {
            // The wish came while an earlier attempt ran, or before this one had a slot.
            signals.cancel.cancel();
            signals.interrupt.cancel();
        }
        let reporter = Arc::new(Reporter::new(Arc::clone(self), Arc::clone(&job), signals.clone()));
        self.running.begin(job.id, Arc::clone(&reporter));
        debug!(job.id = %job.id, task = %job.task, attempt = job.attempt, "Job {} starts attempt {}", job.id, job.attempt);
        Begun { job, signals, reporter }
    }

    async fn run(&self, begun: &Begun) -> AttemptReport {
        let deadline = begun.job.timeout.map(|timeout| clock::now().plus(timeout));
        let order = AttemptOrder { job: Arc::clone(&begun.job), deadline };
        self.runner.run(order, begun.reporter.clone(), begun.signals.interrupt.clone()).await
    }

    async fn classify(&self, begun: &Begun, mut report: AttemptReport) -> Finished {
        let job = &begun.job;
        let rest = begun.reporter.take_rest().await;
        let facts = AttemptFacts { cancel_requested: begun.signals.cancel.is_cancelled(), ..AttemptFacts::of(job) };
        let outcome = std::mem::replace(&mut report.outcome, AttemptOutcome::Interrupted);
        if let AttemptOutcome::HostFault(message) = &outcome {
            warn!(job.id = %job.id, task = %job.task, "The host failed job {}: {message}", job.id);
        }
        self.finished(job, Transition::after(facts, outcome, self.bounds, clock::spread()), report, rest)
    }

    fn finished(&self, job: &Job, transition: Transition, report: AttemptReport, rest: Rest) -> Finished {
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

    fn finish(&self, job: Arc<Job>, finished: Finished, sign: Sign, held: Held) {
        let digest = finished.attempt.plugin_digest.clone();
        let ending =
            Ending { job, to: finished.transition.to, sign, digest, _held: held, _token: self.tracker.token() };
        self.finisher.finish(finished, ending);
    }
}
