//! Plugs the sandbox into the engine's port. Nothing is decided here.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use windlass_engine as engine;
use windlass_model::{
    Artifact, JobId, JsonText, KeyValueAnswer, KeyValueCall, LogStream, Placement, Progress, TaskInfo, TaskLimits,
    TaskName, TaskRecord,
};
use windlass_runtime as runtime;
use windlass_store::StoreError;

use crate::settings::Settings;

/// The sandbox, as the engine sees it.
pub(crate) struct Sandbox {
    pub(crate) runtime: Arc<runtime::Runtime>,
    /// The daemon's own threads, for what waits for the database.
    pub(crate) home: Handle,
}

/// The versions in the database, as the sandbox sees them.
pub(crate) struct DatabaseShelf(pub(crate) engine::Versions);

/// The engine's side of a running attempt, as the sandbox sees it.
struct Host(Arc<dyn engine::AttemptHost>);

/// Where the sandbox keeps its things, and how much of the machine it takes.
pub(crate) fn runtime_settings(settings: &Settings) -> runtime::RuntimeSettings {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    runtime::RuntimeSettings {
        plugins: settings.plugins.clone(),
        data_dir: settings.data_dir.clone(),
        work_dir: settings.data_dir.join("work"),
        cache_dir: Some(settings.cache_dir.clone()),
        cache_bytes: runtime::RuntimeSettings::CACHE_BYTES,
        compile_time: settings.compile_timeout,
        artifacts_dir: settings.data_dir.join("artifacts"),
        slots: settings.slots,
        guest_threads: processors,
        limits: settings.limits.clone(),
        ceiling: settings.ceiling.clone(),
        fuel: settings.fuel,
        memory_reuse: settings.memory_reuse,
        egress: runtime::EgressSettings::default(),
        variable: crate::settings::variable,
        clock: engine::now,
    }
}

#[async_trait]
impl engine::TaskRunner for Sandbox {
    fn tasks(&self) -> Vec<TaskInfo> {
        self.runtime.tasks()
    }

    fn task(&self, name: &TaskName) -> Option<Arc<TaskInfo>> {
        self.runtime.task(name)
    }

    fn loaded(&self) -> Vec<TaskName> {
        self.runtime.loaded()
    }

    fn limits(&self, name: &TaskName) -> TaskLimits {
        self.runtime.limits(name)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.runtime.changes()
    }

    async fn check_version(
        &self,
        task: &TaskName,
        component: Bytes,
    ) -> Result<engine::CheckedVersion, engine::VersionFault> {
        match self.runtime.check(task, component.to_vec()).await {
            Ok(checked) => {
                Ok(engine::CheckedVersion { digest: checked.digest, author_version: checked.author_version })
            }
            Err(fault) if fault.is_hosts() => Err(engine::VersionFault::Host(fault.explain())),
            Err(fault) => Err(engine::VersionFault::Component(fault.explain())),
        }
    }

    async fn refresh(&self) {
        self.runtime.refresh().await;
    }

    fn component_max(&self) -> u64 {
        self.runtime.component_max()
    }

    fn check_args(&self, task: &TaskName, args: &JsonText) -> Result<(), Vec<engine::ArgsFault>> {
        let fault = |fault: runtime::ArgsFault| engine::ArgsFault { pointer: fault.pointer, message: fault.message };
        self.runtime.check_args(task, args).map_err(|faults| faults.into_iter().map(fault).collect())
    }

    fn threads(&self) -> Option<Handle> {
        Some(self.runtime.threads())
    }

    async fn run(
        &self,
        order: engine::AttemptOrder,
        host: Arc<dyn engine::AttemptHost>,
        interrupt: CancellationToken,
    ) -> engine::AttemptReport {
        let request = runtime::AttemptRequest { job: order.job, deadline: order.deadline, home: self.home.clone() };
        let report = self.runtime.run(request, Arc::new(Host(host)), interrupt).await;
        engine::AttemptReport {
            outcome: report.outcome,
            plugin_digest: report.plugin_digest,
            artifacts: report.artifacts,
            bill: report.bill,
        }
    }

    async fn clean_up(&self, jobs: &[JobId]) {
        self.runtime.clean_up(jobs).await;
    }

    async fn remove_artifacts(&self, jobs: &[JobId]) {
        self.runtime.remove_artifacts(jobs).await;
    }

    async fn artifact_jobs(&self) -> Vec<JobId> {
        self.runtime.artifact_jobs().await
    }

    async fn artifact(
        &self,
        job: JobId,
        artifact: &Artifact,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>, engine::ArtifactError> {
        self.runtime.artifact(job, artifact, range).await.map_err(|error| match error {
            runtime::ArtifactError::Gone => engine::ArtifactError::Gone,
            error => engine::ArtifactError::Store(Box::new(error)),
        })
    }
}

#[async_trait]
impl runtime::Shelf for DatabaseShelf {
    async fn publish(&self, version: runtime::FileVersion) -> Result<Placement, runtime::HostError> {
        let runtime::FileVersion { task, digest, component, arrival, author_version } = version;
        let checked = engine::CheckedVersion { digest, author_version };
        self.0.publish_file(&task, &checked, &component, arrival).await.map_err(host_error)
    }

    async fn tasks(&self) -> Result<Vec<TaskRecord>, runtime::HostError> {
        self.0.tasks().await.map_err(host_error)
    }

    async fn component(&self, task: &TaskName, digest: &str) -> Result<Option<Vec<u8>>, runtime::HostError> {
        self.0.component(task, digest).await.map_err(host_error)
    }
}

fn host_error(fault: StoreError) -> runtime::HostError {
    let mut said = fault.to_string();
    let mut source = std::error::Error::source(&fault);
    while let Some(cause) = source {
        said.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    runtime::HostError(said)
}

#[async_trait]
impl runtime::AttemptHost for Host {
    fn progress(&self, report: Progress) {
        self.0.progress(report);
    }

    fn log(&self, stream: LogStream, line: String) {
        self.0.log(stream, line);
    }

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }

    async fn save_checkpoint(&self, data: Vec<u8>) -> Result<(), runtime::HostError> {
        self.0.save_checkpoint(data).await.map_err(|error| runtime::HostError(error.0))
    }

    async fn load_checkpoint(&self) -> Result<Option<Vec<u8>>, runtime::HostError> {
        self.0.load_checkpoint().await.map_err(|error| runtime::HostError(error.0))
    }

    async fn key_value(&self, call: KeyValueCall) -> Result<KeyValueAnswer, runtime::HostError> {
        self.0.key_value(call).await.map_err(|error| runtime::HostError(error.0))
    }

    async fn enqueue(&self, request: String) -> Result<Result<String, String>, runtime::HostError> {
        let parsed = match windlass_api::parse_enqueue(&request, engine::now()) {
            Ok(parsed) => parsed,
            Err(faults) => return Ok(Err(faults)),
        };
        let fingerprint = engine::fingerprint(&JsonText::trusted(request));
        match self.0.enqueue(parsed, fingerprint).await {
            Ok(id) => Ok(Ok(id.to_string())),
            Err(error) if error.is_refusal() => Ok(Err(error.to_string())),
            Err(error) => Err(runtime::HostError(error.to_string())),
        }
    }
}
