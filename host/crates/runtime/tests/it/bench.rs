//! A sandbox in a directory of its own, and a host that writes down what guests tell it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use windlass_model::{
    AttemptOutcome, Backoff, ErrorKind, Job, JobId, JobState, JsonText, LogStream, Priority, Progress, QueueName,
    TaskInfo, TaskName, Timestamp,
};
use windlass_runtime::{
    AttemptHost, AttemptReport, AttemptRequest, EgressSettings, HostError, Limits, MemoryReuse, Runtime,
    RuntimeSettings,
};

/// Longer than anything here takes on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);

pub(crate) struct Bench {
    pub(crate) runtime: Arc<Runtime>,
    dir: TempDir,
}

impl Bench {
    /// A sandbox with these guests, loaded.
    pub(crate) async fn with(guests: &[&str]) -> Self {
        let bench = Self::bounded(|_| {});
        for guest in guests {
            bench.put(&format!("{guest}.wasm"), &guest_bytes(guest));
        }
        bench.runtime.load_all().await;
        bench
    }

    /// An empty sandbox with other limits.
    pub(crate) fn bounded(set: impl FnOnce(&mut RuntimeSettings)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let mut settings = RuntimeSettings {
            plugins: at("plugins"),
            data_dir: at("data"),
            work_dir: at("work"),
            // Shared by all tests and kept between runs: each guest is compiled once.
            cache_dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("runtime-cache")),
            artifacts_dir: at("artifacts"),
            slots: 4,
            guest_threads: 1,
            limits: Limits::default(),
            cache_bytes: RuntimeSettings::CACHE_BYTES,
            compile_time: RuntimeSettings::COMPILE_TIME,
            egress: EgressSettings::default(),
            variable: |_| None,
            ceiling: Limits::ceiling(),
            fuel: false,
            memory_reuse: MemoryReuse::Auto,
            clock: now,
        };
        set(&mut settings);
        std::fs::create_dir_all(&settings.data_dir).unwrap();
        Self { runtime: Runtime::new(settings).unwrap(), dir }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Puts a file into the plugins directory. The guest `probe` can enqueue jobs, so without grants of its own it gets the word
    /// that it may enqueue none.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        let grants = self.path("plugins").join("probe.toml");
        if name == "probe.wasm" && !grants.exists() {
            std::fs::write(grants, "enqueue = []").unwrap();
        }
        std::fs::write(self.path("plugins").join(name), bytes).unwrap();
    }

    pub(crate) fn info(&self, task: &str) -> Option<TaskInfo> {
        self.runtime.task(&name(task)).map(Arc::unwrap_or_clone)
    }

    pub(crate) fn load_error(&self, task: &str) -> String {
        self.info(task).unwrap().load_error.unwrap().message
    }

    /// Runs one attempt of a new job.
    pub(crate) async fn run(&self, task: &str, args: &str) -> (AttemptOutcome, Arc<Recorder>) {
        let host = Arc::new(Recorder::default());
        let report = self.attempt(job(task, args), &host).await;
        (report.outcome, host)
    }

    /// Runs one attempt of a job.
    pub(crate) async fn attempt(&self, job: Job, host: &Arc<Recorder>) -> AttemptReport {
        self.interruptible(job, host, CancellationToken::new()).await
    }

    pub(crate) async fn interruptible(
        &self,
        job: Job,
        host: &Arc<Recorder>,
        interrupt: CancellationToken,
    ) -> AttemptReport {
        let deadline = job.timeout.map(|span| now().plus(span));
        let host: Arc<dyn AttemptHost> = host.clone();
        let request = AttemptRequest { job: Arc::new(job), deadline, home: tokio::runtime::Handle::current() };
        let run = self.runtime.run(request, host, interrupt);
        tokio::time::timeout(LONG, run).await.expect("the attempt ended")
    }

    /// Waits until something holds that changes with what is loaded.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let mut changes = self.runtime.changes();
        let wait = async {
            while !holds(self) {
                changes.changed().await.unwrap();
            }
        };
        tokio::time::timeout(LONG, wait).await.unwrap_or_else(|_| panic!("it never came that {what}"));
    }
}

/// A guest that `cargo xtask plugins` built.
pub(crate) fn guest_bytes(guest: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target/guests").join(format!("{guest}.wasm"));
    std::fs::read(&path).unwrap_or_else(|_| panic!("{} is missing: run `cargo xtask plugins`", path.display()))
}

pub(crate) fn name(task: &str) -> TaskName {
    TaskName::parse(task).unwrap()
}

/// A job at its first attempt.
pub(crate) fn job(task: &str, args: &str) -> Job {
    Job {
        id: JobId::from_uuid(uuid::Uuid::new_v4()),
        task: name(task),
        queue: QueueName::default(),
        priority: Priority::default(),
        state: JobState::Running,
        args: JsonText::trusted(args.to_owned()),
        output: None,
        error: None,
        attempt: 1,
        max_attempts: 5,
        timeout: None,
        backoff: Backoff::default(),
        lease: 1,
        worker_id: None,
        crash_count: 0,
        host_fault_count: 0,
        cancel_requested_at: None,
        progress: Progress::default(),
        tags: vec!["blue".to_owned()],
        metadata: JsonText::parse(r#"{"user": 5}"#).unwrap(),
        plugin_digest: None,
        created_at: now(),
        run_at: now(),
        started_at: Some(now()),
        finished_at: None,
        expires_at: None,
        concurrency_key: None,
        parent_id: None,
        waits_for: 0,
        bill: None,
    }
}

/// The message of an attempt that failed in this way.
#[track_caller]
pub(crate) fn failed(outcome: AttemptOutcome, kind: ErrorKind) -> String {
    match outcome {
        AttemptOutcome::Failed(error) if error.kind == kind => error.message,
        other => panic!("it should have failed as {kind}, but: {other:?}"),
    }
}

/// The output of an attempt that ended well.
#[track_caller]
pub(crate) fn output(outcome: &AttemptOutcome) -> &str {
    match outcome {
        AttemptOutcome::Completed(output) => output.as_str(),
        other => panic!("it should have completed, but: {other:?}"),
    }
}

pub(crate) fn now() -> Timestamp {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    Timestamp::from_micros(1_795_000_000_000_000).plus(START.elapsed())
}

/// Writes down what a guest tells.
#[derive(Default)]
pub(crate) struct Recorder {
    progress: Mutex<Vec<Progress>>,
    log: Mutex<Vec<(LogStream, String)>>,
    checkpoint: Mutex<Option<Vec<u8>>>,
    /// The checkpoints' database is gone.
    broken: bool,
    told: tokio::sync::Notify,
}

impl Recorder {
    /// A host that cannot keep checkpoints.
    pub(crate) fn broken() -> Self {
        Self { broken: true, ..Self::default() }
    }

    pub(crate) fn reports(&self) -> Vec<Progress> {
        self.progress.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<(LogStream, String)> {
        self.log.lock().unwrap().clone()
    }

    /// Waits until the guest reported for the first time: it runs.
    pub(crate) async fn started(&self) {
        tokio::time::timeout(LONG, self.told.notified()).await.expect("the guest reported");
    }
}

#[wasmtime_wasi::async_trait]
impl AttemptHost for Recorder {
    fn progress(&self, report: Progress) {
        self.progress.lock().unwrap().push(report);
        self.told.notify_one();
    }

    fn log(&self, stream: LogStream, line: String) {
        self.log.lock().unwrap().push((stream, line));
    }

    fn is_cancelled(&self) -> bool {
        false
    }

    async fn save_checkpoint(&self, data: Vec<u8>) -> Result<(), HostError> {
        if self.broken {
            return Err(HostError("the database is gone".to_owned()));
        }
        *self.checkpoint.lock().unwrap() = Some(data);
        Ok(())
    }

    async fn load_checkpoint(&self) -> Result<Option<Vec<u8>>, HostError> {
        Ok(self.checkpoint.lock().unwrap().clone())
    }
}
