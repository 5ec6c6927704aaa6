//! From the way in which a guest ended to the outcome of its attempt.

use std::time::Duration;

use wasmtime::component::ResourceTableError;
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;
use windlass_model::{AttemptError, AttemptOutcome, ErrorKind, JsonText, TaskName};

use crate::bindings::windlass::task::task_types::TaskError;
use crate::capability::memory::MemoryRefusal;
use crate::engine::TABLE_ELEMENTS;
use crate::limits::Limits;
use crate::meter::{CpuTimeOver, Refusal};
use crate::port::HostError;
use crate::text;

/// How many frames of the guest's stack are told.
const FRAMES: usize = 8;

/// How a guest ended.
pub(crate) enum End {
    /// `execute` returned.
    Returned(Result<String, TaskError>),
    /// The instance could not be made.
    Stillborn(wasmtime::Error),
    /// `execute` did not return.
    Broke(wasmtime::Error),
    /// Its time was over.
    TimedOut,
    /// The caller interrupted it.
    Interrupted,
}

/// What else is known when it ended.
pub(crate) struct Evidence<'a> {
    /// The task, whose grants file can raise a limit.
    pub(crate) task: &'a TaskName,
    pub(crate) memory_refused: Option<MemoryRefusal>,
    /// Which other limit refused something last.
    pub(crate) refusal: Option<Refusal>,
    /// The last lines of its standard error.
    pub(crate) last_words: &'a [String],
    pub(crate) limits: &'a Limits,
    /// How long its job asked for.
    pub(crate) asked_time: Duration,
}

/// Decides what the attempt's outcome is.
pub(crate) fn classify(end: End, evidence: &Evidence<'_>) -> AttemptOutcome {
    match end {
        End::Returned(Ok(output)) => completed(&output, evidence),
        End::Returned(Err(error)) => said(error),
        End::TimedOut => failed(ErrorKind::Timeout, &timeout_text(evidence)),
        End::Interrupted => AttemptOutcome::Interrupted,
        End::Stillborn(error) | End::Broke(error) if is_hosts_doing(&error) => hosts_fault(&error),
        End::Stillborn(error) | End::Broke(error) if let Some((kind, text)) = limit_reached(&error, evidence) => {
            let said = last_words(evidence.last_words);
            let said = if said.is_empty() { said } else { format!("\n\n{said}") };
            failed(kind, &format!("{text}{said}"))
        }
        End::Stillborn(error) if !is_guests_doing(&error) => hosts_fault(&error),
        End::Stillborn(error) | End::Broke(error) => {
            failed(ErrorKind::Trap, &trap_message(&error, evidence.last_words))
        }
    }
}

/// The limit that ended it, with what it was, its value, and the key that raises it: one that it ran into, else one that had
/// refused it something before it broke.
fn limit_reached(error: &wasmtime::Error, evidence: &Evidence<'_>) -> Option<(ErrorKind, String)> {
    let Evidence { limits, task, .. } = evidence;
    let raise = |key: &str| format!("raise `limits.{key}` in {task}.toml");
    if error.is::<CpuTimeOver>() {
        let max = text::span(Duration::from_millis(limits.cpu_ms.unwrap_or_default()));
        return Some((
            ErrorKind::CpuTime,
            format!("it computed for longer than its limit of {max}: {}", raise("cpu_ms")),
        ));
    }
    if error.downcast_ref::<Trap>() == Some(&Trap::OutOfFuel) {
        let max = limits.fuel.unwrap_or_default();
        return Some((ErrorKind::OutOfFuel, format!("it used up its limit of {max} units of fuel: {}", raise("fuel"))));
    }
    if is_hostcall_too_large(error) {
        let max = text::size(limits.hostcall_bytes as u64);
        let text =
            format!("it handed more to the host in one call than its limit of {max}: {}", raise("hostcall_bytes"));
        return Some((ErrorKind::HostcallTooLarge, text));
    }
    if is_out_of_handles(error) {
        let max = limits.handles;
        let text = format!("it held more handles at once than its limit of {max}: {}", raise("handles"));
        return Some((ErrorKind::TooManyHandles, text));
    }
    if let Some(refusal) = evidence.memory_refused {
        let text = match refusal {
            MemoryRefusal::Sum => {
                let max = text::size(limits.memory_bytes as u64);
                format!("it wanted more memory than its limit of {max}: {}", raise("memory_bytes"))
            }
            MemoryRefusal::Table => {
                format!("it wanted more than the {TABLE_ELEMENTS} elements that a table can have here")
            }
        };
        return Some((ErrorKind::OutOfMemory, text));
    }
    Some(match evidence.refusal? {
        Refusal::Scratch => {
            let max = text::size(limits.scratch_bytes);
            let text = format!("it wanted more in /tmp than its limit of {max}: {}", raise("scratch_bytes"));
            (ErrorKind::ScratchFull, text)
        }
        Refusal::Directory => {
            let text = "it wanted more in a granted directory than the directory's quota";
            (ErrorKind::ScratchFull, format!("{text}: clear it, or raise `bytes` of the directory in {task}.toml"))
        }
        Refusal::ArtifactBytes => {
            let max = text::size(limits.artifact_bytes);
            let text = format!("it wanted more in /out than its limit of {max}: {}", raise("artifact_bytes"));
            (ErrorKind::ArtifactsTooLarge, text)
        }
        Refusal::ArtifactFiles => {
            let max = limits.artifact_files;
            let text = format!("it wanted more files in /out than its limit of {max}: {}", raise("artifact_files"));
            (ErrorKind::ArtifactsTooLarge, text)
        }
        Refusal::Enqueues => {
            let max = limits.enqueues;
            let text = format!("it wanted to enqueue more jobs than its limit of {max}: {}", raise("enqueues"));
            (ErrorKind::TooManyEnqueues, text)
        }
    })
}

fn timeout_text(evidence: &Evidence<'_>) -> String {
    let asked = evidence.asked_time;
    match evidence.limits.timeout_ms.map(Duration::from_millis) {
        Some(most) if asked.is_zero() || most < asked => {
            let (most, task) = (text::span(most), evidence.task);
            let asked = if asked.is_zero() { "no limit".to_owned() } else { text::span(asked) };
            format!(
                "took longer than {most}, the most that `limits.timeout_ms` in {task}.toml allows; its job asked for {asked}"
            )
        }
        _ => format!("took longer than its limit of {}", text::span(asked)),
    }
}

/// wasmtime has no public type for this (48.0.8), so its text is all there is; a test would see it change.
fn is_hostcall_too_large(error: &wasmtime::Error) -> bool {
    error.chain().any(|cause| cause.to_string().contains("fuel allocated for hostcalls has been exhausted"))
}

/// The host's table of resources has a type for it; wasmtime's table of handles has only a text (48.0.8).
fn is_out_of_handles(error: &wasmtime::Error) -> bool {
    matches!(error.downcast_ref::<ResourceTableError>(), Some(ResourceTableError::Full))
        || error.chain().any(|cause| cause.to_string().contains("store handle limit exceeded"))
}

/// Whether the error says that the host could not do its part: the database, or the pool of instances.
pub(crate) fn is_hosts_doing(error: &wasmtime::Error) -> bool {
    error.is::<HostError>() || error.is::<PoolConcurrencyLimitError>()
}

/// Whether the error says that guest code ran and ended itself. Before `execute` anything else is the host's.
fn is_guests_doing(error: &wasmtime::Error) -> bool {
    error.is::<Trap>() || error.is::<I32Exit>()
}

/// What happened, in the order in which it helps: the guest's last words, the trap, where it was.
pub(crate) fn trap_message(error: &wasmtime::Error, stderr: &[String]) -> String {
    let reason = if let Some(exit) = error.downcast_ref::<I32Exit>() {
        format!("it exited with status {} instead of returning", exit.0)
    } else if let Some(trap) = error.downcast_ref::<Trap>() {
        trap.to_string()
    } else {
        error.root_cause().to_string()
    };
    let words = last_words(stderr);
    let frames = error.downcast_ref::<WasmBacktrace>().map_or_else(Vec::new, frames);
    let parts = [words, reason, frames.join("\n")];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

fn frames(backtrace: &WasmBacktrace) -> Vec<String> {
    let names = backtrace.frames().iter().filter_map(|frame| {
        // The symbol is the name as its author wrote it; the function's own name may still be mangled.
        frame.symbols().iter().find_map(|symbol| symbol.name()).or_else(|| frame.func_name())
    });
    names.take(FRAMES).map(|name| format!("  at {name}")).collect()
}

/// The end of standard error, from the last panic on if there was one, so that the message starts with what matters.
fn last_words(stderr: &[String]) -> String {
    let Some(start) = stderr.iter().rposition(|line| line.contains(" panicked at ")) else {
        return stderr.join("\n");
    };
    match &stderr[start..] {
        // Rust writes the place on one line and the message on the next.
        [place, message, rest @ ..] if place.ends_with(':') => {
            std::iter::once(format!("{place} {message}")).chain(rest.iter().cloned()).collect::<Vec<_>>().join("\n")
        }
        lines => lines.join("\n"),
    }
}

fn completed(output: &str, evidence: &Evidence<'_>) -> AttemptOutcome {
    let max = evidence.limits.output_bytes;
    if output.len() > max {
        let (found, max, task) = (text::size(output.len() as u64), text::size(max as u64), evidence.task);
        let message = format!(
            "it returned {found}, more than the {max} that an output may have: write a file to /out, or raise \
             `limits.output_bytes` in {task}.toml"
        );
        return failed(ErrorKind::OutputTooLarge, &message);
    }
    match JsonText::parse(output) {
        Ok(output) => AttemptOutcome::Completed(output),
        Err(error) => {
            let start = text::kept(output, 80);
            let message = format!("it returned text that is not JSON: {start:?} ({})", text::chain(&error));
            failed(ErrorKind::Fatal, &message)
        }
    }
}

fn said(error: TaskError) -> AttemptOutcome {
    match error {
        TaskError::Retryable(message) => failed(ErrorKind::Retryable, &message),
        TaskError::Fatal(message) => failed(ErrorKind::Fatal, &message),
        TaskError::Snooze(ms) => AttemptOutcome::Snoozed(Duration::from_millis(ms)),
        TaskError::Cancelled => AttemptOutcome::Cancelled,
    }
}

fn hosts_fault(error: &wasmtime::Error) -> AttemptOutcome {
    AttemptOutcome::HostFault(text::kept(&error.root_cause().to_string(), AttemptError::MESSAGE_MAX))
}

fn failed(kind: ErrorKind, message: &str) -> AttemptOutcome {
    // A little more than is kept, so that the model marks the cut.
    AttemptOutcome::Failed(AttemptError::new(kind, text::kept(message, AttemptError::MESSAGE_MAX + 4)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_panic_message_comes_first_and_in_one_line() {
        let stderr = lines("warming up\nthread 'main' panicked at src/lib.rs:9:5:\nno such column\nnote: more");
        assert_eq!(last_words(&stderr), "thread 'main' panicked at src/lib.rs:9:5: no such column\nnote: more");
    }

    #[test]
    fn last_words_without_a_panic_are_told_as_they_are() {
        assert_eq!(last_words(&lines("Traceback\nValueError: 5")), "Traceback\nValueError: 5");
        assert_eq!(last_words(&[]), "");
    }

    fn evidence<'a>(task: &'a TaskName, limits: &'a Limits) -> Evidence<'a> {
        let asked_time = Duration::from_secs(60);
        Evidence { task, memory_refused: None, refusal: None, last_words: &[], limits, asked_time }
    }

    fn error(outcome: AttemptOutcome) -> AttemptError {
        let AttemptOutcome::Failed(error) = outcome else { panic!("{outcome:?}") };
        error
    }

    #[test]
    fn an_output_that_is_not_json_is_fatal_and_shows_its_start() {
        let (task, limits) = (TaskName::parse("a").unwrap(), Limits::default());
        let error = error(completed("done!", &evidence(&task, &limits)));
        assert_eq!(error.kind, ErrorKind::Fatal);
        assert!(error.message.starts_with("it returned text that is not JSON: \"done!\" ("), "{}", error.message);
    }

    #[test]
    fn a_guest_that_breaks_after_a_refusal_broke_because_of_it() {
        let (task, limits) = (TaskName::parse("report").unwrap(), Limits::default());
        let told = |refusal| {
            let evidence = Evidence { refusal: Some(refusal), ..evidence(&task, &limits) };
            error(classify(End::Broke(Trap::UnreachableCodeReached.into()), &evidence))
        };
        let (full, kind) = (told(Refusal::Scratch), ErrorKind::ScratchFull);
        let message = "it wanted more in /tmp than its limit of 4 GiB: raise `limits.scratch_bytes` in report.toml";
        assert_eq!(full, AttemptError::new(kind, message));
        assert_eq!(told(Refusal::ArtifactFiles).kind, ErrorKind::ArtifactsTooLarge);
        assert_eq!(told(Refusal::Enqueues).kind, ErrorKind::TooManyEnqueues);
    }

    #[test]
    fn what_a_guest_returns_stays_its_word_though_something_was_refused() {
        let (task, limits) = (TaskName::parse("a").unwrap(), Limits::default());
        let evidence = Evidence {
            memory_refused: Some(MemoryRefusal::Sum),
            refusal: Some(Refusal::Scratch),
            ..evidence(&task, &limits)
        };
        let returned = End::Returned(Err(TaskError::Fatal("no".to_owned())));
        assert_eq!(error(classify(returned, &evidence)), AttemptError::new(ErrorKind::Fatal, "no"));
        assert!(matches!(classify(End::Returned(Ok("1".to_owned())), &evidence), AttemptOutcome::Completed(_)));
    }

    #[test]
    fn a_timeout_by_the_plugins_limit_says_so() {
        let task = TaskName::parse("a").unwrap();
        let limits = Limits { timeout_ms: Some(5_000), ..Limits::default() };
        assert_eq!(
            error(classify(End::TimedOut, &evidence(&task, &limits))).message,
            "took longer than 5 s, the most that `limits.timeout_ms` in a.toml allows; its job asked for 1 min"
        );
    }
}
