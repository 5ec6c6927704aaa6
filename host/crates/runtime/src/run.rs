//! One attempt, in named steps: start, wait, classify, publish, tidy.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use wasmtime::{Engine, Store};
use windlass_model::{Artifact, AttemptOutcome, Bill, Job, Progress, Timestamp};

use crate::bindings::{Task, TaskPre};
use crate::capability::artifacts::{Artifacts, Owner, PublishFault};
use crate::capability::directories::OwnDirectories;
use crate::capability::filesystem::Quotas;
use crate::capability::job::JobAccess;
use crate::capability::progress::ProgressMeter;
use crate::capability::secrets::Handout;
use crate::capability::stdio::GuestLog;
use crate::egress::client::Egress;
use crate::guest::{self, Guest, Reach, Reacher};
use crate::meter::{Metered, Usage};
use crate::outcome::{self, End, Evidence};
use crate::port::{AttemptHost, AttemptReport};
use crate::scratch::{Scratch, Scratches};
use crate::settings::RuntimeSettings;
use crate::text;
use crate::version::Version;

/// All that one attempt needs.
pub(crate) struct Attempt {
    pub(crate) settings: Arc<RuntimeSettings>,
    pub(crate) artifacts: Arc<Artifacts>,
    pub(crate) egress: Arc<Egress>,
    pub(crate) quotas: Arc<Quotas>,
    pub(crate) scratches: Arc<Scratches>,
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

/// A guest that ended.
struct Ended {
    outcome: AttemptOutcome,
    bill: Bill,
    /// Whether it looked for its directories, so that something may lie in `/out`.
    has_files: bool,
}

impl Attempt {
    /// Runs it. To be polled on the guests' threads.
    pub(crate) async fn run(self) -> AttemptReport {
        let mut bill = None;
        let (outcome, artifacts) = match self.steps(&mut bill).await {
            Ok(ended) => ended,
            Err(HostFault(message)) => (AttemptOutcome::HostFault(message), Vec::new()),
        };
        AttemptReport { outcome, plugin_digest: Some(self.version.plugin.digest.clone()), artifacts, bill }
    }

    async fn steps(&self, bill: &mut Option<Bill>) -> Result<(AttemptOutcome, Vec<Artifact>), HostFault> {
        let scratch = self.scratches.of(self.job.id, self.job.lease);
        let usage = Arc::new(Usage::default());
        let handout = self.version.grants.hand_out();
        let log =
            GuestLog::new(Arc::clone(&self.host), &self.version.limits, handout.redactor.clone(), Arc::clone(&usage));
        let ended = self.execute(&scratch, &log, &handout, usage).await?;
        *bill = Some(ended.bill);
        let outcome = handout.redactor.outcome(ended.outcome);
        if !ended.has_files {
            return Ok((outcome, Vec::new()));
        }
        let settled = match outcome {
            completed @ AttemptOutcome::Completed(_) => self.publish(&scratch, &log, completed).await,
            other => Ok((other, Vec::new())),
        };
        self.tidy(scratch).await;
        settled
    }

    /// Starts the guest, waits for its end, and says what the outcome is.
    async fn execute(
        &self,
        scratch: &Scratch,
        log: &GuestLog,
        handout: &Handout,
        usage: Arc<Usage>,
    ) -> Result<Ended, HostFault> {
        let limits = &self.version.limits;
        let task = &self.version.plugin.task;
        let deadline = self.deadline();
        let who = Reacher { plugin: &self.job.task, log, limits, usage, deadline };
        let mut store = self.store(task.engine(), scratch, handout, who)?;
        let mut instantiated = Duration::ZERO;
        let end = self.wait(task, &mut store, &mut instantiated, deadline).await;
        let guest = store.data_mut();
        if let Some(access) = &mut guest.job {
            self.finish_progress(access.progress.finish(), log);
        }
        let instantiate_us = u64::try_from(instantiated.as_micros()).unwrap_or(u64::MAX);
        let (memory_refused, usage, bill) = (guest.memory.refused(), Arc::clone(&guest.usage), guest.bill());
        let has_files = guest.files.has_own();
        // A store that trapped or was left in the middle of a call can never be entered again.
        drop(store);
        log.finish();
        let bill = Bill { instantiate_us, log_lines: usage.bill().log_lines, ..bill };
        let tail = log.tail();
        let asked = self.job.timeout.or_else(|| Some(self.deadline?.since(self.job.started_at?)));
        let evidence = Evidence {
            task: &self.job.task,
            memory_refused,
            refusal: usage.refusal(),
            last_words: &tail,
            limits,
            asked_time: asked.unwrap_or_default(),
        };
        Ok(Ended { outcome: outcome::classify(end, &evidence), bill, has_files })
    }

    /// When it is interrupted: the job's deadline, or the plugin's limit if that comes first.
    fn deadline(&self) -> Option<Timestamp> {
        let limit = self.version.limits.timeout_ms.map(Duration::from_millis);
        let most = limit.map(|limit| (self.settings.clock)().plus(limit));
        self.deadline.into_iter().chain(most).min()
    }

    fn finish_progress(&self, (last, merged): (Option<Progress>, u64), log: &GuestLog) {
        if let Some(last) = last {
            self.host.progress(last);
        }
        if merged > 0 {
            let max = self.version.limits.progress_per_second;
            log.note(format!("{merged} reports of progress were merged with later ones: more than {max} a second."));
        }
    }

    fn store(
        &self,
        engine: &Engine,
        scratch: &Scratch,
        handout: &Handout,
        who: Reacher<'_>,
    ) -> Result<Store<Guest>, HostFault> {
        let (limits, grants) = (who.limits, &self.version.grants);
        let mut wasi = guest::bare_wasi(self.job.task.as_str(), who.log);
        let fault = |fault: &dyn std::error::Error| HostFault(text::chain(fault));
        grants.grant(&mut wasi, handout).map_err(|error| fault(&error))?;
        let directories = (grants.roots(&self.quotas), Some(OwnDirectories::new(scratch.clone(), limits)));
        let access = JobAccess {
            host: Arc::clone(&self.host),
            job: Arc::clone(&self.job),
            deadline: who.deadline,
            checkpoint_max: limits.checkpoint_bytes,
            progress: ProgressMeter::new(limits.progress_per_second),
            enqueue: grants.enqueue.clone(),
            enqueues_left: limits.enqueues,
            enqueues_max: limits.enqueues,
            key_value: grants.key_value.clone(),
            redactor: handout.redactor.clone(),
            home: self.home.clone(),
        };
        let reach = Reach::of(who, grants, handout, &self.egress, self.settings.clock);
        let mut store = Guest::new(wasi, directories, reach, limits, Some(access)).into_store(engine, limits);
        Guest::refuel(&mut store, limits.fuel, self.settings.fuel).map_err(|error| HostFault(error.to_string()))?;
        Ok(store)
    }

    async fn wait(
        &self,
        task: &TaskPre<Guest>,
        store: &mut Store<Guest>,
        instantiated: &mut Duration,
        deadline: Option<Timestamp>,
    ) -> End {
        if self.interrupt.is_cancelled() {
            return End::Interrupted;
        }
        let cpu = Arc::clone(&store.data().cpu);
        let call = std::pin::pin!(call(task, store, &self.job, instantiated));
        let mut guest = Metered::new(call, cpu);
        let mut cut_off = std::pin::pin!(self.cut_off(deadline));
        let mut is_first = true;
        std::future::poll_fn(|context| {
            // Most guests are over by the end of their first turn: for them nothing is set up that would cut them off.
            if std::mem::take(&mut is_first) {
                let end = Pin::new(&mut guest).poll(context);
                return if end.is_ready() { end } else { cut_off.as_mut().poll(context) };
            }
            // The guest comes last, so that one which uses up its task's budget at every turn cannot starve the other.
            let end = cut_off.as_mut().poll(context);
            if end.is_ready() { end } else { Pin::new(&mut guest).poll(context) }
        })
        .await
    }

    /// Waits for what ends a guest from outside.
    async fn cut_off(&self, deadline: Option<Timestamp>) -> End {
        let left = deadline.map_or(Duration::MAX, |time| time.since((self.settings.clock)()));
        tokio::select! {
            biased;
            () = self.interrupt.cancelled() => End::Interrupted,
            () = tokio::time::sleep(left) => End::TimedOut,
        }
    }

    /// Publishes what is in `/out`. A completed job has its artifacts, or it is not completed.
    async fn publish(
        &self,
        scratch: &Scratch,
        log: &GuestLog,
        completed: AttemptOutcome,
    ) -> Result<(AttemptOutcome, Vec<Artifact>), HostFault> {
        let (owner, out) = (Owner { job: self.job.id, lease: self.job.lease }, scratch.places().out);
        let published = tokio::select! {
            biased;
            () = self.interrupt.cancelled() => None,
            published = self.artifacts.publish(owner, &out, &self.version.limits) => Some(published),
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

async fn call(task: &TaskPre<Guest>, store: &mut Store<Guest>, job: &Job, instantiated: &mut Duration) -> End {
    let start = Instant::now();
    let task: wasmtime::Result<Task> = task.instantiate_async(&mut *store).await;
    *instantiated = start.elapsed();
    let task = match task {
        Ok(task) => task,
        Err(error) => return End::Stillborn(error),
    };
    match task.call_execute(store, &job.id.to_string(), job.args.as_str()).await {
        Ok(returned) => End::Returned(returned),
        Err(error) => End::Broke(error),
    }
}
