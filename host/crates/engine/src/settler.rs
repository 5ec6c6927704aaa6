//! What follows when the ends of attempts are durable: room for others, wake-ups, a line in the log, scratch that goes, a version that
//! is rolled back. For a batch at once, and without waiting for anything.

use std::sync::Arc;

use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use tracing::{debug, info, warn};
use windlass_model::{Job, JobId, JobState, TaskName};
use windlass_store::{FinishOutcome, RollbackOutcome};

use crate::bus::Bus;
use crate::clock;
use crate::first_attempts::{FirstAttempts, Sign};
use crate::port::TaskRunner;
use crate::running::Running;
use crate::slots::{Claim, Slot};
use crate::versions::Versions;
use crate::wake::Wake;

/// An attempt whose end is to be made durable.
pub(crate) struct Ending {
    pub(crate) job: Arc<Job>,
    pub(crate) to: JobState,
    /// What it says of the version that ran.
    pub(crate) sign: Sign,
    /// The version that ran, if one did.
    pub(crate) digest: Option<String>,
    /// Free for others when this is dropped.
    pub(crate) _held: Held,
    /// The shutdown waits for it.
    pub(crate) _token: TaskTrackerToken,
}

/// What a job holds here until its end is durable.
pub(crate) enum Held {
    /// A slot: it ran.
    Slot(#[expect(dead_code, reason = "it is held to be dropped")] Slot),
    /// Room of its task: it was claimed and handed back.
    Claim(#[expect(dead_code, reason = "it is held to be dropped")] Claim),
}

/// Goes on from ends that are durable.
#[derive(Clone)]
pub(crate) struct Settler {
    pub(crate) runner: Arc<dyn TaskRunner>,
    pub(crate) running: Running,
    pub(crate) versions: Versions,
    pub(crate) first_attempts: FirstAttempts,
    pub(crate) bus: Bus,
    pub(crate) wake: Wake,
    pub(crate) tracker: TaskTracker,
}

impl Settler {
    /// Takes ends with what became of each; `None` if the daemon gave up on the database while it shut down.
    pub(crate) fn settle(&self, ended: Vec<(Ending, Option<FinishOutcome>)>) {
        self.running.remove(ended.iter().map(|(ending, _)| (ending.job.id, ending.job.lease)));
        self.bus.publish(ended.iter().map(|(ending, _)| ending.job.id));
        let (mut over, mut waits, mut is_back) = (Vec::new(), false, false);
        for (ending, outcome) in &ended {
            tell(ending, outcome.as_ref());
            if matches!(outcome, Some(FinishOutcome::Recorded)) {
                if ending.to.is_final() {
                    over.push(ending.job.id);
                }
                waits |= matches!(ending.to, JobState::Retryable | JobState::Scheduled);
                is_back |= ending.to == JobState::Available;
                self.judge(ending);
            }
        }
        // Their slots are free now.
        drop(ended);
        self.wake.room();
        if is_back {
            self.wake.dispatcher();
        }
        if waits {
            self.wake.promoter();
        }
        self.clean_up(over);
    }

    fn clean_up(&self, over: Vec<JobId>) {
        if !over.is_empty() {
            let runner = Arc::clone(&self.runner);
            self.tracker.spawn(async move { runner.clean_up(&over).await });
        }
    }

    /// Rolls a version back whose first attempts all trapped, if its grants file asks for that.
    fn judge(&self, ending: &Ending) {
        let Ending { sign, digest: Some(digest), job, .. } = ending else { return };
        let task = &job.task;
        if *sign == Sign::Nothing || self.first_attempts.are_over(task, digest) {
            return;
        }
        let Some(info) = self.runner.task(task) else { return };
        let Some(version) = &info.version else { return };
        // What an attempt of another version came to says nothing of this one.
        if version.digest != *digest {
            return;
        }
        let broken = self.first_attempts.count(task, digest, *sign);
        let Some(broken) = broken.filter(|broken| version.auto_rollback.is_some_and(|limit| *broken >= limit)) else {
            return;
        };
        let (settler, task, digest) = (self.clone(), task.clone(), digest.clone());
        self.tracker.spawn(async move { settler.roll_back(&task, &digest, broken).await });
    }

    async fn roll_back(&self, task: &TaskName, digest: &str, broken: u32) {
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

/// A line of the log. What ended well is told to those who ask for it: a daemon that does its work has nothing to say.
fn tell(ending: &Ending, outcome: Option<&FinishOutcome>) {
    let Ending { job, to, .. } = ending;
    let duration_ms = || job.started_at.map_or(0, |start| clock::now().since(start).as_millis());
    match outcome {
        Some(FinishOutcome::Recorded) if *to == JobState::Completed => debug!(
            job.id = %job.id, task = %job.task, queue.name = %job.queue, job.state = %to, attempt = job.attempt,
            duration_ms = duration_ms(),
            "Job {} ({}) ended attempt {} as {to}", job.id, job.task, job.attempt
        ),
        Some(FinishOutcome::Recorded) => info!(
            job.id = %job.id, task = %job.task, queue.name = %job.queue, job.state = %to, attempt = job.attempt,
            duration_ms = duration_ms(),
            "Job {} ({}) ended attempt {} as {to} after {} ms", job.id, job.task, job.attempt, duration_ms()
        ),
        Some(FinishOutcome::Stale) => warn!(
            job.id = %job.id, job.lease = job.lease,
            "Job {} was taken away while it ran here (lease {}): what it came to is dropped", job.id, job.lease
        ),
        // The rescue finds the job.
        None => warn!(
            job.id = %job.id,
            "Job {} ended, but that could not be written down before the daemon stopped", job.id
        ),
    }
}
