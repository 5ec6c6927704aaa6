//! Does on demand whatever a test needs a guest to do: `{"do": "panic", "message": "…"}`. See README.md for the list.

mod exceed;
mod files;
mod misbehave;

use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use windlass_guest::schemars::{self, JsonSchema};
use windlass_guest::{Enqueue, Job, TaskError, cancelled, fatal, retryable, snooze, task};

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Args {
    /// Returns `value`.
    Ok { value: Value },
    /// Returns this task error.
    Retryable { message: String },
    /// Returns this task error.
    Fatal { message: String },
    /// The first run returns this task error; the next, which finds its checkpoint, completes.
    Snooze { ms: u64 },
    /// Returns this task error.
    Cancelled {},
    /// Panics.
    Panic { message: String },
    /// Executes `unreachable`.
    Trap {},
    /// Ends the process.
    Exit { code: i32 },
    /// Prints lines: each its number and `length` characters, every tenth to standard error.
    Print { lines: u32, length: usize },
    /// Goes through steps, with a pause after each.
    Steps { steps: u32, pause_ms: u64 },
    /// Reports these percentages in turn.
    Percent { values: Vec<u8> },
    /// Waits until it is cancelled, then says so.
    WaitCancel {},
    /// Sleeps for ever, whatever it is told.
    IgnoreCancel {},
    /// Computes for ever.
    Spin {},
    /// Sleeps.
    Sleep { ms: u64 },
    /// Takes memory until there is no more.
    EatMemory {},
    /// Returns a string of so many bytes.
    BigOutput { bytes: usize },
    /// Writes files to /out.
    WriteOut { files: std::collections::BTreeMap<String, String> },
    /// Writes a file to /out, then fails as retryable.
    WriteOutThenFail { name: String },
    /// Reads a file.
    Read { path: String },
    /// Writes a file, at any path.
    Write { path: String, content: String },
    /// Reads a value of the environment.
    Env { name: String },
    /// The first attempt keeps `value` and fails; the next returns what it finds.
    Checkpoint { value: Value },
    /// Fails as retryable before attempt `attempt`.
    FailUntil { attempt: u32 },
    /// Returns what the job knows of itself.
    Context {},
    /// Reports step 1, then waits until a file is there.
    WaitFile { path: String },
    /// Appends a line to a file: a start that a test can count.
    Append { path: String, line: String },
    /// Enqueues these requests in turn, then fails as retryable before attempt `until`. Returns the ids, or what was refused.
    Enqueue { requests: Vec<Value>, until: u32 },
    /// Writes so many files of so many bytes until one fails; then says so, or panics.
    Fill { folder: String, files: u32, bytes: usize, panics: bool },
    /// Writes so many files that are removed while they are open.
    FillRemoved { path: String, bytes: usize, times: u32 },
    /// Opens a file so often and closes none.
    Open { path: String, times: u32 },
    /// Moves a file, or links it.
    Relocate { from: String, to: String, links: bool },
    /// Counts what is in a folder.
    List { folder: String },
    /// Reports so many steps as fast as it can.
    Report { times: u32 },
    /// Leaves a file for this start, goes on for `ms`, marks the file as ended, then fails as retryable in the first `fails` attempts.
    Witness { folder: String, ms: u64, fails: u32 },
}

/// Probe
#[task(backoff = "20ms..100ms")]
fn probe(job: &Job, args: Args) -> Result<Value, TaskError> {
    match args {
        Args::Ok { value } => Ok(value),
        Args::Retryable { message } => Err(retryable(message)),
        Args::Fatal { message } => Err(fatal(message)),
        Args::Snooze { ms } => match job.load_checkpoint::<bool>() {
            Some(true) => Ok(json!({ "attempt": job.attempt() })),
            _ => {
                job.save_checkpoint(&true)?;
                Err(snooze(Duration::from_millis(ms)))
            }
        },
        Args::Cancelled {} => Err(cancelled()),
        Args::Panic { message } => panic!("{message}"),
        Args::Trap {} => misbehave::trap(),
        Args::Exit { code } => std::process::exit(code),
        Args::Print { lines, length } => Ok(misbehave::print(lines, length)),
        Args::Steps { steps, pause_ms } => {
            for step in 1..=steps {
                job.progress()
                    .step(step)
                    .of(step.into(), steps.into())
                    .info(format!("Step {step} of {steps}"))
                    .report();
                std::thread::sleep(Duration::from_millis(pause_ms));
            }
            Ok(json!({ "steps": steps }))
        }
        Args::Percent { values } => {
            for value in values {
                job.progress().percent(value).report();
            }
            Ok(Value::Null)
        }
        Args::WaitCancel {} => {
            job.progress().step(1).info("Waiting for a cancel").report();
            while !job.is_cancelled() {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(cancelled())
        }
        Args::IgnoreCancel {} => {
            job.progress().step(1).info("Ignoring everything").report();
            loop {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        Args::Spin {} => misbehave::spin(),
        Args::Sleep { ms } => {
            std::thread::sleep(Duration::from_millis(ms));
            Ok(Value::Null)
        }
        Args::EatMemory {} => Ok(misbehave::eat_memory()),
        Args::BigOutput { bytes } => Ok(Value::String("x".repeat(bytes))),
        Args::WriteOut { files } => files::write_out(&files),
        Args::WriteOutThenFail { name } => {
            files::write_out(&[(name, "half".to_owned())].into())?;
            Err(retryable("failed after it had written"))
        }
        Args::Read { path } => Ok(Value::String(std::fs::read_to_string(path)?)),
        Args::Write { path, content } => Ok(json!({ "written": std::fs::write(path, content).is_ok() })),
        Args::Env { name } => Ok(files::env(&name)),
        Args::Checkpoint { value } => match job.load_checkpoint::<Value>() {
            Some(kept) => Ok(kept),
            None => {
                job.save_checkpoint(&value)?;
                Err(retryable("kept a checkpoint"))
            }
        },
        Args::FailUntil { attempt } if job.attempt() < attempt => Err(retryable(format!("attempt {}", job.attempt()))),
        Args::FailUntil { .. } => Ok(json!({ "attempt": job.attempt() })),
        Args::Context {} => Ok(json!({
            "id": job.id(),
            "attempt": job.attempt(),
            "max_attempts": job.max_attempts(),
            "deadline": job.deadline(),
            "context": job.context(),
        })),
        Args::WaitFile { path } => files::wait_for(job, &path),
        Args::Append { path, line } => files::append(&path, &line),
        Args::Enqueue { requests, until } => {
            let answers: Vec<_> = requests.into_iter().map(|request| enqueue(job, request)).collect();
            match job.attempt() < until {
                true => Err(retryable(json!(answers).to_string())),
                false => Ok(json!(answers)),
            }
        }
        Args::Fill { folder, files, bytes, panics } => Ok(exceed::fill(Path::new(&folder), files, bytes, panics)),
        Args::FillRemoved { path, bytes, times } => exceed::fill_removed(Path::new(&path), bytes, times),
        Args::Open { path, times } => exceed::open(Path::new(&path), times),
        Args::Relocate { from, to, links } => Ok(exceed::relocate(Path::new(&from), Path::new(&to), links)),
        Args::List { folder } => exceed::list(Path::new(&folder)),
        Args::Report { times } => Ok(exceed::report(job, times)),
        Args::Witness { folder, ms, fails } => {
            files::witness(job, Path::new(&folder), Duration::from_millis(ms))?;
            if job.attempt() <= fails {
                Err(retryable("told to fail"))
            } else {
                Ok(json!({ "attempt": job.attempt() }))
            }
        }
    }
}

fn enqueue(job: &Job, request: Value) -> Value {
    let Value::Object(fields) = request else { return json!("not an object") };
    let request = fields.into_iter().fold(Enqueue::new(""), |request, (field, value)| request.set(field, value));
    match job.enqueue(request) {
        Ok(id) => json!({ "id": id }),
        Err(refused) => json!({ "refused": format!("{refused:?}") }),
    }
}
