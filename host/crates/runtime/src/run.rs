//! One attempt, in named steps: prepare, start, wait, classify, publish, tidy.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use wasmtime::{Engine, Store};
use windlass_model::{Artifact, AttemptOutcome, Job, Timestamp};

use crate::bindings::{Task, TaskPre};
use crate::capability::artifacts::{Artifacts, Owner, PublishFault};
use crate::capability::directories;
use crate::capability::job::JobAccess;
use crate::capability::secrets::Handout;
use crate::capability::stdio::GuestLog;
use crate::egress::client::Egress;
use crate::guest::{self, Guest, Reach, Reacher};
use crate::outcome::{self, End, Evidence};
use crate::port::{AttemptHost, AttemptReport};
use crate::scratch::Scratch;
use crate::settings::RuntimeSettings;
use crate::text;
use crate::version::Version;

/// All that one attempt needs.
pub(crate) struct Attempt {
    pub(crate) settings: Arc<RuntimeSettings>,
    pub(crate) artifacts: Arc<Artifacts>,
    pub(crate) egress: Arc<Egress>,
    pub(crate) version: Arc<Version>,
    pub(crate) job: Arc<Job>,
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) host: Arc<dyn AttemptHost>,
    pub(crate) interrupt: CancellationToken,
    /// The runtime of the caller; see [`JobAccess`].
    pub(crate) home: Handle,
}

/// The host could not do its part, in words.
struct HostFault(String);

impl Attempt {
    /// Runs it. Made to be spawned on the guests' threads.
    pub(crate) async fn run(self) -> AttemptReport {
        let (outcome, artifacts) = match self.steps().await {
            Ok(ended) => ended,
            Err(HostFault(message)) => (AttemptOutcome::HostFault(message), Vec::new()),
        };
        AttemptReport { outcome, plugin_digest: Some(self.version.plugin.digest.clone()), artifacts }
    }

    async fn steps(&self) -> Result<(AttemptOutcome, Vec<Artifact>), HostFault> {
        let scratch = self.prepare().await?;
        let handout = self.version.grants.hand_out();
        let log = GuestLog::new(Arc::clone(&self.host), &self.settings.limits, handout.redactor.clone());
        let ended = self.execute(&scratch, &log, &handout).await;
        let ended = match ended.map(|outcome| handout.redactor.outcome(outcome)) {
            Ok(completed @ AttemptOutcome::Completed(_)) => self.publish(&scratch, &log, completed).await,
            other => other.map(|outcome| (outcome, Vec::new())),
        };
        self.tidy(scratch).await;
        ended
    }

    async fn prepare(&self) -> Result<Scratch, HostFault> {
        let (work, job, lease) = (self.settings.work_dir.clone(), self.job.id, self.job.lease);
        let made = tokio::task::spawn_blocking(move || Scratch::prepare(&work, job, lease)).await;
        let fault = |error: &dyn std::error::Error| {
            HostFault(format!("the directories of job {job} could not be made: {}", text::chain(error)))
        };
        made.map_err(|panic| fault(&panic))?.map_err(|error| fault(&error))
    }

    /// Starts the guest, waits for its end, and says what the outcome is.
    async fn execute(&self, scratch: &Scratch, log: &GuestLog, handout: &Handout) -> Result<AttemptOutcome, HostFault> {
        let limits = &self.settings.limits;
        let task = &self.version.plugin.task;
        let mut store = self.store(task.engine(), scratch, log, handout)?;
        let end = self.wait(task, &mut store).await;
        let memory_refused = store.data().memory.refused();
        // A store that trapped or was left in the middle of a call can never be entered again.
        drop(store);
        log.finish();
        let tail = log.tail();
        let time_limit = self.job.timeout.or_else(|| Some(self.deadline?.since(self.job.started_at?)));
        let time_limit = time_limit.unwrap_or_default();
        Ok(outcome::classify(end, &Evidence { memory_refused, last_words: &tail, limits, time_limit }))
    }

    fn store(
        &self,
        engine: &Engine,
        scratch: &Scratch,
        log: &GuestLog,
        handout: &Handout,
    ) -> Result<Store<Guest>, HostFault> {
        let (limits, grants) = (&self.settings.limits, &self.version.grants);
        let mut wasi = guest::bare_wasi(self.job.task.as_str(), log);
        directories::grant_own(&mut wasi, &scratch.out, &scratch.tmp)
            .and_then(|()| grants.grant(&mut wasi, handout))
            .map_err(|fault| HostFault(text::chain(&fault)))?;
        let access = JobAccess {
            host: Arc::clone(&self.host),
            job: Arc::clone(&self.job),
            deadline: self.deadline,
            checkpoint_max: limits.checkpoint_bytes,
            enqueue: grants.enqueue.clone(),
            key_value: grants.key_value.clone(),
            redactor: handout.redactor.clone(),
            home: self.home.clone(),
        };
        let who = Reacher { plugin: &self.job.task, log, deadline: self.deadline };
        let reach = Reach::of(&who, grants, handout, &self.egress, &self.settings);
        Ok(Guest::new(wasi, reach, limits, Some(access)).into_store(engine, limits))
    }

    async fn wait(&self, task: &TaskPre<Guest>, store: &mut Store<Guest>) -> End {
        let left = self.deadline.map_or(Duration::MAX, |time| time.since((self.settings.clock)()));
        // The guest comes last, so that one which uses up its task's budget at every turn cannot starve the other two.
        tokio::select! {
            biased;
            () = self.interrupt.cancelled() => End::Interrupted,
            () = tokio::time::sleep(left) => End::TimedOut,
            end = call(task, store, &self.job) => end,
        }
    }

    /// Publishes what is in `/out`. A completed job has its artifacts, or it is not completed.
    async fn publish(
        &self,
        scratch: &Scratch,
        log: &GuestLog,
        completed: AttemptOutcome,
    ) -> Result<(AttemptOutcome, Vec<Artifact>), HostFault> {
        let owner = Owner { job: self.job.id, lease: self.job.lease };
        let published = tokio::select! {
            biased;
            () = self.interrupt.cancelled() => None,
            published = self.artifacts.publish(owner, &scratch.out, &self.settings.limits) => Some(published),
        };
        let ended = match published {
            Some(Ok(published)) => {
                published.skipped.into_iter().for_each(|line| log.note(line));
                return Ok((completed, published.artifacts));
            }
            Some(Err(PublishFault::Guest(error))) => Ok((AttemptOutcome::Failed(error), Vec::new())),
            Some(Err(fault @ PublishFault::Host { .. })) => Err(HostFault(text::chain(&fault))),
            None => Ok((AttemptOutcome::Interrupted, Vec::new())),
        };
        if let Err(error) = self.artifacts.withdraw(owner).await {
            let id = self.job.id;
            warn!(job.id = %id, "Half-published artifacts of job {id} could not be removed: {}", text::chain(&error));
        }
        ended
    }

    async fn tidy(&self, scratch: Scratch) {
        let removed = tokio::task::spawn_blocking(move || scratch.discard_out()).await;
        if let Ok(Err(error)) = removed {
            let id = self.job.id;
            warn!(job.id = %id, "The directory /out of job {id} could not be removed: {error}");
        }
    }
}

async fn call(task: &TaskPre<Guest>, store: &mut Store<Guest>, job: &Job) -> End {
    let task: Task = match task.instantiate_async(&mut *store).await {
        Ok(task) => task,
        Err(error) => return End::Stillborn(error),
    };
    match task.call_execute(store, &job.id.to_string(), job.args.as_str()).await {
        Ok(returned) => End::Returned(returned),
        Err(error) => End::Broke(error),
    }
}
