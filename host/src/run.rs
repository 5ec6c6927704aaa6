//! `windlass run`: one attempt of one job, in this process, without a daemon and without a database: the author's inner loop.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail};
use async_trait::async_trait;
use futures_util::TryStreamExt;
use serde_json::json;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use windlass_engine::{DEFAULT_TIMEOUT, new_job_id, now};
use windlass_model::{
    Artifact, AttemptOutcome, Backoff, Job, JobState, JsonText, LogStream, Progress, QueueName, TaskName,
};
use windlass_runtime::{
    AttemptHost, AttemptReport, AttemptRequest, EgressSettings, HostError, Limits, MemoryReuse, Runtime,
    RuntimeSettings,
};

use crate::telemetry;

/// The exit code of a job that did not end well.
const FAILED: u8 = 3;

/// The flags of `windlass run`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// The component, NAME.wasm; its grants are read from NAME.toml beside it.
    plugin: PathBuf,
    /// The job's arguments: a JSON object, @FILE, or - for standard input.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    args: String,
    /// Where relative directories of the grants stand.
    #[arg(long, value_name = "DIR", default_value = ".")]
    data_dir: PathBuf,
    /// Where the artifacts go; made if there are any.
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
    /// How long it may take, in milliseconds.
    #[arg(long, value_name = "MS")]
    timeout_ms: Option<u64>,
    /// Print one JSON document in place of the output alone.
    #[arg(long)]
    json: bool,
}

/// Runs one attempt. The log and the progress go to standard error, the output to standard output.
pub(crate) async fn run(args: RunArgs) -> anyhow::Result<ExitCode> {
    telemetry::start(None, "warn")?;
    let job_args = arguments(&args.args)?;
    let scratch = tempfile::tempdir().context("cannot make a scratch directory")?;
    let runtime = Runtime::new(settings(&args, scratch.path()))?;
    let task = runtime.load_file(&args.plugin).await?;
    if let Err(faults) = runtime.check_args(&task, &job_args) {
        let faults: Vec<_> =
            faults.iter().map(|fault| format!("  - args{}: {}", fault.pointer, fault.message)).collect();
        bail!("the arguments do not fit the task `{task}`:\n{}", faults.join("\n"));
    }
    let timeout = args.timeout_ms.map_or(DEFAULT_TIMEOUT, Duration::from_millis);
    let job = new_job(task, job_args, timeout);
    let terminal = Arc::new(Terminal::default());
    let interrupt = CancellationToken::new();
    let cancelling = tokio::spawn(cancel_on_ctrl_c(terminal.clone(), interrupt.clone()));
    let (job, deadline) = (Arc::new(job), Some(now().plus(timeout)));
    let request = AttemptRequest { job: job.clone(), deadline, home: Handle::current() };
    let report = runtime.run(request, terminal, interrupt).await;
    cancelling.abort();
    for artifact in &report.artifacts {
        save(&runtime, &job, artifact, &args.out).await?;
    }
    let is_completed = matches!(report.outcome, AttemptOutcome::Completed(_));
    print(&report, &args)?;
    Ok(if is_completed { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn settings(args: &RunArgs, scratch: &Path) -> RuntimeSettings {
    RuntimeSettings {
        plugins: scratch.join("plugins"),
        data_dir: args.data_dir.clone(),
        work_dir: scratch.join("work"),
        cache_dir: None,
        cache_bytes: RuntimeSettings::CACHE_BYTES,
        compile_time: RuntimeSettings::COMPILE_TIME,
        artifacts_dir: scratch.join("artifacts"),
        slots: 1,
        guest_threads: 1,
        limits: Limits::default(),
        ceiling: Limits::ceiling(),
        // A limit of fuel holds here as it does in a daemon that counts it.
        fuel: true,
        // For one attempt there is no next.
        memory_reuse: MemoryReuse::Off,
        egress: EgressSettings::default(),
        variable: crate::settings::variable,
        clock: now,
    }
}

fn arguments(given: &str) -> anyhow::Result<JsonText> {
    let json = JsonText::parse(&given_text(given)?).context("--args is not JSON")?;
    if !json.is_object() {
        bail!("--args is not a JSON object");
    }
    Ok(json)
}

/// What an argument stands for: itself, the content of `@FILE`, or standard input for `-`.
pub(crate) fn given_text(given: &str) -> anyhow::Result<String> {
    match given.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("--args: cannot read {path}")),
        None if given == "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).context("--args: cannot read standard input")?;
            Ok(text)
        }
        None => Ok(given.to_owned()),
    }
}

fn new_job(task: TaskName, args: JsonText, timeout: Duration) -> Job {
    let now = now();
    Job {
        id: new_job_id(),
        task,
        queue: QueueName::default(),
        priority: windlass_model::Priority::default(),
        state: JobState::Running,
        args,
        output: None,
        error: None,
        attempt: 1,
        max_attempts: 1,
        timeout: Some(timeout),
        backoff: Backoff::default(),
        lease: 1,
        worker_id: None,
        crash_count: 0,
        host_fault_count: 0,
        cancel_requested_at: None,
        progress: Progress::default(),
        tags: Vec::new(),
        metadata: JsonText::empty_object(),
        plugin_digest: None,
        created_at: now,
        run_at: now,
        started_at: Some(now),
        finished_at: None,
        expires_at: None,
        concurrency_key: None,
        parent_id: None,
        waits_for: 0,
        bill: None,
    }
}

/// What the guest tells goes to the terminal; a checkpoint lives as long as this process.
#[derive(Default)]
struct Terminal {
    progress: Mutex<Progress>,
    checkpoint: Mutex<Option<Vec<u8>>>,
    cancel: CancellationToken,
}

impl Terminal {
    fn say(&self, line: &str) {
        // A closed terminal is no reason to fail the job.
        let _ = writeln!(std::io::stderr().lock(), "{line}");
    }
}

#[async_trait]
impl AttemptHost for Terminal {
    fn progress(&self, report: Progress) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let before = progress.clone();
        progress.absorb(report);
        if *progress != before {
            let step = progress.task_step.map(|step| format!("step {step} ")).unwrap_or_default();
            let percent = progress.percent_complete.map(|percent| format!("{percent} % ")).unwrap_or_default();
            self.say(&format!("» {step}{percent}{}", progress.status_info.as_deref().unwrap_or_default()));
        }
    }

    fn log(&self, _stream: LogStream, line: String) {
        self.say(&line);
    }

    fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    async fn save_checkpoint(&self, data: Vec<u8>) -> Result<(), HostError> {
        *self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner) = Some(data);
        Ok(())
    }

    async fn load_checkpoint(&self) -> Result<Option<Vec<u8>>, HostError> {
        Ok(self.checkpoint.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// The first Ctrl-C tells the guest, the second interrupts it.
async fn cancel_on_ctrl_c(terminal: Arc<Terminal>, interrupt: CancellationToken) {
    if tokio::signal::ctrl_c().await.is_ok() {
        terminal.cancel.cancel();
        terminal.say("Told the job to stop; Ctrl-C again interrupts it");
    }
    if tokio::signal::ctrl_c().await.is_ok() {
        interrupt.cancel();
    }
}

async fn save(runtime: &Runtime, job: &Job, artifact: &Artifact, out: &Path) -> anyhow::Result<()> {
    let path = out.join(&artifact.name);
    let fault = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await.with_context(fault)?;
    }
    let mut file = tokio::fs::File::create(&path).await.with_context(fault)?;
    let mut content = runtime.artifact(job.id, artifact, None).await?;
    while let Some(chunk) = content.try_next().await? {
        tokio::io::AsyncWriteExt::write_all(&mut file, &chunk).await.with_context(fault)?;
    }
    tokio::io::AsyncWriteExt::flush(&mut file).await.with_context(fault)
}

fn print(report: &AttemptReport, args: &RunArgs) -> anyhow::Result<()> {
    let (outcome, output, message) = match &report.outcome {
        AttemptOutcome::Completed(output) => ("completed", Some(output), None),
        AttemptOutcome::Failed(error) => (error.kind.as_str(), None, Some(error.message.clone())),
        AttemptOutcome::Snoozed(span) => ("snooze", None, Some(format!("asks to run again in {span:?}"))),
        AttemptOutcome::Cancelled => ("cancelled", None, None),
        AttemptOutcome::Interrupted => ("interrupted", None, None),
        AttemptOutcome::HostFault(message) => ("host", None, Some(message.clone())),
    };
    let mut out = std::io::stdout().lock();
    if args.json {
        let artifacts: Vec<_> = report
            .artifacts
            .iter()
            .map(|artifact| json!({ "name": artifact.name, "bytes": artifact.bytes, "path": args.out.join(&artifact.name) }))
            .collect();
        let document = json!({
            "outcome": outcome, "output": output, "message": message, "artifacts": artifacts,
            "plugin_digest": report.plugin_digest, "bill": report.bill,
        });
        return Ok(writeln!(out, "{document}")?);
    }
    if let Some(output) = output {
        writeln!(out, "{}", output.as_str())?;
    }
    let mut err = std::io::stderr().lock();
    if let Some(message) = message {
        writeln!(err, "{outcome}: {message}")?;
    } else if output.is_none() {
        writeln!(err, "{outcome}")?;
    }
    for artifact in &report.artifacts {
        writeln!(err, "{} ({} bytes)", args.out.join(&artifact.name).display(), artifact.bytes)?;
    }
    Ok(())
}
