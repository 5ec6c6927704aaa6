//! The sandbox as its user sees it.

use std::io;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::stream::BoxStream;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::warn;
use windlass_model::{Artifact, AttemptOutcome, JobId, JsonText, TaskInfo, TaskLimits, TaskName};

use crate::capability::artifacts::Artifacts;
use crate::capability::filesystem::Quotas;
use crate::compile::Compiler;
use crate::egress::client::Egress;
use crate::engine::Engines;
use crate::error::{ArtifactError, LoadFault, RuntimeError};
use crate::guest;
use crate::inspect::Inspection;
use crate::plugins::Plugins;
use crate::port::{ArgsFault, AttemptHost, AttemptReport, AttemptRequest};
use crate::run::Attempt;
use crate::schema;
use crate::scratch::Scratches;
use crate::settings::RuntimeSettings;
use crate::shelf::{CheckedVersion, FilesAlone, Shelf};
use crate::threads::GuestThreads;
use crate::version::Loader;

/// The sandbox: knows tasks and runs them.
pub struct Runtime {
    settings: Arc<RuntimeSettings>,
    plugins: Plugins,
    threads: Arc<GuestThreads>,
    artifacts: Arc<Artifacts>,
    egress: Arc<Egress>,
    quotas: Arc<Quotas>,
    scratches: Arc<Scratches>,
}

impl Runtime {
    /// Makes the sandbox: its directories, its engine, its threads. Loads nothing yet. What is in service the files alone say.
    pub fn new(settings: RuntimeSettings) -> Result<Arc<Self>, RuntimeError> {
        Self::with_shelf(settings, Arc::new(FilesAlone::default()))
    }

    /// The same, with somebody else who keeps versions and says which is in service.
    pub fn with_shelf(settings: RuntimeSettings, shelf: Arc<dyn Shelf>) -> Result<Arc<Self>, RuntimeError> {
        for directory in [&settings.plugins, &settings.work_dir, &settings.artifacts_dir] {
            make(directory)?;
        }
        let settings = Arc::new(settings);
        let engines = Arc::new(Engines::new(&settings)?);
        let linker = guest::linker(&engines.running).map_err(|error| RuntimeError::Engine(error.into()))?;
        let threads = Arc::new(GuestThreads::start(settings.guest_threads)?);
        let compiler = Compiler::new(engines, linker, settings.compile_time);
        let egress = Arc::new(Egress::start(&settings.egress)?);
        let loader = Loader {
            settings: Arc::clone(&settings),
            compiler,
            threads: Arc::clone(&threads),
            egress: Arc::clone(&egress),
        };
        let artifacts = Arc::new(Artifacts::open(&settings.artifacts_dir)?);
        let scratches = Scratches::open(&settings.work_dir)
            .map_err(|source| RuntimeError::Directory { path: settings.work_dir.clone(), source })?;
        let plugins = Plugins::new(Arc::clone(&settings), loader, shelf);
        let (quotas, scratches) = (Arc::default(), Arc::new(scratches));
        Ok(Arc::new(Self { settings, plugins, threads, artifacts, egress, quotas, scratches }))
    }

    /// Loads what is to be served now: what the files of the plugins directory hold, and what the shelf says beside them.
    pub async fn load_all(&self) {
        self.plugins.load_all().await;
    }

    /// Keeps the tasks as the plugins directory and the shelf have them, until `stop` fires.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        self.plugins.watch(stop).await;
    }

    /// Serves what the shelf says now, and returns when it is served or refused.
    pub async fn refresh(&self) {
        self.plugins.refresh().await;
    }

    /// Does with a component all that goes before its service, and leaves it at that: compiles it, links it, asks it to describe
    /// itself, reads its schema and the task's grants.
    pub async fn check(&self, task: &TaskName, component: Vec<u8>) -> Result<CheckedVersion, LoadFault> {
        self.plugins.check(task, component).await
    }

    /// How large a component may be, in bytes.
    #[must_use]
    pub fn component_max(&self) -> u64 {
        self.settings.limits.component_bytes
    }

    /// Loads one file, wherever it is, as the task that its name says.
    pub async fn load_file(&self, file: &Path) -> Result<TaskName, LoadFault> {
        self.plugins.load_file(file).await
    }

    /// Says what can be known of a component file before it is served. Its grants are those of the given file, or of the one
    /// beside it.
    pub async fn inspect(&self, file: &Path, grants: Option<&Path>) -> Inspection {
        self.plugins.inspect(file, grants).await
    }

    /// All tasks that are known, by name, with those that did not load.
    #[must_use]
    pub fn tasks(&self) -> Vec<TaskInfo> {
        self.plugins.catalogue.infos()
    }

    /// One task.
    #[must_use]
    pub fn task(&self, name: &TaskName) -> Option<Arc<TaskInfo>> {
        self.plugins.catalogue.info(name)
    }

    /// What bounds the attempts of a task beside what happens inside each; what holds by default if it is not in service.
    #[must_use]
    pub fn limits(&self, name: &TaskName) -> TaskLimits {
        let version = self.plugins.catalogue.version(name);
        version.map_or_else(|| self.settings.limits.of_task(), |version| version.limits.of_task())
    }

    /// The tasks that can run now.
    #[must_use]
    pub fn loaded(&self) -> Vec<TaskName> {
        self.plugins.catalogue.loaded()
    }

    /// Counts up with every change of what is loaded.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.plugins.catalogue.changes()
    }

    /// Checks arguments against the schema of the task's version in service. A task without a schema, or one that is not
    /// loaded, takes any object.
    pub fn check_args(&self, task: &TaskName, args: &JsonText) -> Result<(), Vec<ArgsFault>> {
        schema::check_object(args)?;
        match self.plugins.catalogue.version(task) {
            Some(version) => version.plugin.args.as_ref().map_or(Ok(()), |schema| schema.check(args)),
            None => Ok(()),
        }
    }

    /// The threads that run guests. Whoever spawns an attempt there saves [`Runtime::run`] the way to them and back.
    #[must_use]
    pub fn threads(&self) -> Handle {
        self.threads.handle()
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
        let AttemptRequest { job, deadline, home } = request;
        let Some(version) = self.plugins.catalogue.version(&job.task) else {
            let message = format!("the task `{}` is not loaded on this worker", job.task);
            return host_fault(message, None);
        };
        let digest = version.plugin.digest.clone();
        let attempt = Attempt {
            settings: Arc::clone(&self.settings),
            artifacts: Arc::clone(&self.artifacts),
            egress: Arc::clone(&self.egress),
            quotas: Arc::clone(&self.quotas),
            scratches: Arc::clone(&self.scratches),
            version,
            job,
            deadline,
            host,
            interrupt,
            home,
        };
        let failed =
            |why: &dyn std::fmt::Display| host_fault(format!("the sandbox itself failed: {why}"), Some(digest));
        if self.threads.are_current() {
            // What it shares with others is whole after every step, so that a panic ends this attempt alone.
            return AssertUnwindSafe(attempt.run()).catch_unwind().await.unwrap_or_else(|_| failed(&"it panicked"));
        }
        self.threads.spawn(attempt.run()).await.unwrap_or_else(|error| failed(&error))
    }

    /// Removes what is kept on disk between attempts for those of these jobs that have something there.
    pub async fn clean_up(&self, jobs: &[JobId]) {
        for job in self.scratches.take(jobs) {
            let scratches = Arc::clone(&self.scratches);
            let removed = tokio::task::spawn_blocking(move || scratches.remove(job)).await;
            if let Ok(Err(error)) = removed {
                warn!(job.id = %job, "The scratch directory of job {job} could not be removed: {error}");
            }
        }
    }

    /// Removes all artifacts of these jobs that are in the store. What cannot be removed is told in the log.
    pub async fn remove_artifacts(&self, jobs: &[JobId]) {
        for job in jobs {
            if let Err(error) = self.artifacts.remove(*job).await {
                warn!(job.id = %job, "The artifacts of job {job} could not be removed: {error}");
            }
        }
    }

    /// The jobs that have artifacts in the store. If it cannot be read that is told in the log, and there are none.
    pub async fn artifact_jobs(&self) -> Vec<JobId> {
        self.artifacts.jobs().await.unwrap_or_else(|error| {
            warn!("The artifact store could not be read: {error}");
            Vec::new()
        })
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
}

fn host_fault(message: String, plugin_digest: Option<String>) -> AttemptReport {
    AttemptReport { outcome: AttemptOutcome::HostFault(message), plugin_digest, artifacts: Vec::new(), bill: None }
}

fn make(directory: &PathBuf) -> Result<(), RuntimeError> {
    std::fs::create_dir_all(directory).map_err(|source| RuntimeError::Directory { path: directory.clone(), source })
}
