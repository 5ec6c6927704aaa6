//! The sandbox as its user sees it.

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use windlass_model::{Artifact, AttemptOutcome, JobId, JsonText, LoadError, TaskInfo, TaskName};

use crate::capability::artifacts::Artifacts;
use crate::catalogue::Catalogue;
use crate::compile::Compiler;
use crate::engine::{Engines, LOADERS};
use crate::error::{ArtifactError, LoadFault, RuntimeError};
use crate::guest;
use crate::hot::{Due, Fingerprint, Hints, Look, RESCAN, SETTLE, Scanner};
use crate::port::{ArgsFault, AttemptHost, AttemptReport, AttemptRequest};
use crate::run::Attempt;
use crate::schema;
use crate::scratch;
use crate::settings::RuntimeSettings;
use crate::threads::GuestThreads;
use crate::version::{Loader, Refusal};

/// How often the first load looks again at a file that is being written, before it leaves it to the watch.
const FIRST_LOOKS: u32 = 5;

/// The sandbox: knows tasks and runs them.
pub struct Runtime {
    settings: Arc<RuntimeSettings>,
    catalogue: Catalogue,
    loader: Loader,
    scanner: Mutex<Scanner>,
    threads: Arc<GuestThreads>,
    artifacts: Arc<Artifacts>,
}

impl Runtime {
    /// Makes the sandbox: its directories, its engine, its threads. Loads nothing yet.
    pub fn new(settings: RuntimeSettings) -> Result<Arc<Self>, RuntimeError> {
        for directory in [&settings.plugins, &settings.work_dir, &settings.artifacts_dir] {
            make(directory)?;
        }
        let settings = Arc::new(settings);
        let engines = Arc::new(Engines::new(&settings)?);
        let linker = guest::linker(&engines.running).map_err(|error| RuntimeError::Engine(error.into()))?;
        let threads = Arc::new(GuestThreads::start(settings.guest_threads)?);
        let compiler = Compiler::new(engines, linker);
        let loader = Loader { settings: Arc::clone(&settings), compiler, threads: Arc::clone(&threads) };
        let artifacts = Arc::new(Artifacts::open(&settings.artifacts_dir)?);
        let (catalogue, scanner) = (Catalogue::new(), Mutex::default());
        Ok(Arc::new(Self { settings, catalogue, loader, scanner, threads, artifacts }))
    }

    /// Loads what is in the plugins directory now.
    pub async fn load_all(&self) {
        for _ in 0..FIRST_LOOKS {
            if !self.pass(Look::First).await {
                break;
            }
            tokio::time::sleep(SETTLE).await;
        }
        let (count, path) = (self.loaded().len(), self.settings.plugins.display());
        info!("{count} tasks are in service from `{path}`");
    }

    /// Keeps the tasks as the plugins directory has them, until `stop` fires.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let hints = Hints::listen(&self.settings.plugins);
        stop.run_until_cancelled(async {
            loop {
                let mut look = tokio::select! {
                    () = hints.next() => Look::Settled,
                    () = tokio::time::sleep(RESCAN) => Look::Healing,
                };
                while self.pass(look).await {
                    tokio::time::sleep(SETTLE).await;
                    look = Look::Settled;
                }
            }
        })
        .await;
    }

    /// Loads one file, wherever it is, as the task that its name says.
    pub async fn load_file(&self, file: &Path) -> Result<TaskName, LoadFault> {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = TaskName::parse(&stem).map_err(|source| LoadFault::Name { stem, source })?;
        let version = self.loader.load(file, &name, None).await.map_err(|refusal| refusal.fault)?;
        self.catalogue.put(name.clone(), version);
        Ok(name)
    }

    /// All tasks that are known, by name, with those that did not load.
    #[must_use]
    pub fn tasks(&self) -> Vec<TaskInfo> {
        self.catalogue.infos()
    }

    /// One task.
    #[must_use]
    pub fn task(&self, name: &TaskName) -> Option<TaskInfo> {
        self.catalogue.info(name)
    }

    /// The tasks that can run now.
    #[must_use]
    pub fn loaded(&self) -> Vec<TaskName> {
        self.catalogue.loaded()
    }

    /// Counts up with every change of what is loaded.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.catalogue.changes()
    }

    /// Checks arguments against the schema of the task's version in service. A task without a schema, or one that is not
    /// loaded, takes any object.
    pub fn check_args(&self, task: &TaskName, args: &JsonText) -> Result<(), Vec<ArgsFault>> {
        schema::check_object(args)?;
        match self.catalogue.version(task) {
            Some(version) => version.plugin.args.as_ref().map_or(Ok(()), |schema| schema.check(args)),
            None => Ok(()),
        }
    }

    /// Runs one attempt in a fresh instance, and publishes its artifacts if it ended well. Returns soon after `interrupt`
    /// fires, with [`AttemptOutcome::Interrupted`] unless it had ended before. If the future is dropped, the guest is
    /// stopped.
    pub async fn run(
        &self,
        request: AttemptRequest,
        host: Arc<dyn AttemptHost>,
        interrupt: CancellationToken,
    ) -> AttemptReport {
        let AttemptRequest { job, deadline } = request;
        let Some(version) = self.catalogue.version(&job.task) else {
            let message = format!("the task `{}` is not loaded on this worker", job.task);
            return host_fault(message, None);
        };
        let digest = version.plugin.digest.clone();
        let attempt = Attempt {
            settings: Arc::clone(&self.settings),
            artifacts: Arc::clone(&self.artifacts),
            version,
            job: Arc::new(job),
            deadline,
            host,
            interrupt,
            home: Handle::current(),
        };
        match self.threads.spawn(attempt.run()).await {
            Ok(report) => report,
            Err(error) => host_fault(format!("the sandbox itself failed: {error}"), Some(digest)),
        }
    }

    /// Removes what is kept on disk for a job between attempts.
    pub async fn clean_up(&self, job: JobId) {
        let work = self.settings.work_dir.clone();
        let removed = tokio::task::spawn_blocking(move || scratch::clean_up(&work, job)).await;
        if let Ok(Err(error)) = removed {
            warn!(job.id = %job, "The scratch directory of job {job} could not be removed: {error}");
        }
    }

    /// Opens an artifact, or a part of it, for reading.
    pub async fn artifact(
        &self,
        job: JobId,
        artifact: &Artifact,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, io::Result<Bytes>>, ArtifactError> {
        self.artifacts.read(job, artifact, range).await
    }

    /// Sets the catalogue right once. Says whether something is changing, so that another pass is needed soon.
    async fn pass(&self, look: Look) -> bool {
        let mut scanner = self.scanner.lock().await;
        let found = scanner.look(&self.settings.plugins, look);
        for name in found.gone {
            self.catalogue.remove(&name);
            info!(task.name = %name, "Task `{name}` is out of service: its file was removed");
        }
        let loads = stream::iter(found.due).map(|due| self.load(due)).buffer_unordered(LOADERS as usize);
        let handled: Vec<_> = loads.collect().await;
        let mut unsettled = found.unsettled;
        for (due, state) in handled {
            match state {
                Handled::Done { may_heal } => scanner.handled(&due, may_heal),
                Handled::Changing => unsettled = true,
            }
        }
        unsettled
    }

    async fn load(&self, due: Due) -> (Due, Handled) {
        let (name, start) = (&due.name, Instant::now());
        let loaded = self.loader.load(&due.file, name, self.catalogue.version(name)).await;
        if Fingerprint::of(&due.file) != Some(due.fingerprint) {
            // What was read may be half of one file and half of another.
            return (due, Handled::Changing);
        }
        let may_heal = match loaded {
            Ok(version) => {
                let (duration_ms, summary) = (start.elapsed().as_millis() as u64, version.summary());
                let digest = version.plugin.digest.as_str();
                info!(task.name = %name, plugin.digest = digest, duration_ms, "Loaded `{name}` ({summary})");
                self.catalogue.put(name.clone(), version);
                false
            }
            Err(refusal) => self.refuse(name, refusal),
        };
        (due, Handled::Done { may_heal })
    }

    fn refuse(&self, name: &TaskName, Refusal { digest, fault }: Refusal) -> bool {
        let message = fault.explain();
        let known = self.catalogue.info(name).and_then(|info| info.load_error);
        if known.is_none_or(|known| (&known.digest, &known.message) != (&digest, &message)) {
            let before =
                if self.catalogue.version(name).is_some() { "the version before it stays" } else { "it is not" };
            warn!(task.name = %name, "`{name}` could not be loaded, {before} in service: {message}");
            let error = LoadError { digest, at: (self.settings.clock)(), message };
            self.catalogue.refuse(name.clone(), error);
        }
        fault.may_heal()
    }
}

enum Handled {
    Done { may_heal: bool },
    Changing,
}

fn host_fault(message: String, plugin_digest: Option<String>) -> AttemptReport {
    AttemptReport { outcome: AttemptOutcome::HostFault(message), plugin_digest, artifacts: Vec::new() }
}

fn make(directory: &PathBuf) -> Result<(), RuntimeError> {
    std::fs::create_dir_all(directory).map_err(|source| RuntimeError::Directory { path: directory.clone(), source })
}
