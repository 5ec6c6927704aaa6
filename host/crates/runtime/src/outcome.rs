//! From the way in which a guest ended to the outcome of its attempt.

use std::time::Duration;

use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;
use windlass_model::{AttemptError, AttemptOutcome, ErrorKind, JsonText};

use crate::bindings::windlass::task::task_types::TaskError;
use crate::port::HostError;
use crate::settings::Limits;
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
    pub(crate) memory_refused: bool,
    /// The last lines of its standard error.
    pub(crate) last_words: &'a [String],
    pub(crate) limits: &'a Limits,
    /// How long it was allowed to take.
    pub(crate) time_limit: Duration,
}

/// Decides what the attempt's outcome is.
pub(crate) fn classify(end: End, evidence: &Evidence<'_>) -> AttemptOutcome {
    match end {
        End::Returned(Ok(output)) => completed(&output, evidence.limits.output_bytes),
        End::Returned(Err(error)) => said(error),
        End::TimedOut => {
            let message = format!("took longer than its limit of {}", text::span(evidence.time_limit));
            failed(ErrorKind::Timeout, &message)
        }
        End::Interrupted => AttemptOutcome::Interrupted,
        End::Stillborn(error) | End::Broke(error) if is_hosts_doing(&error) => hosts_fault(&error),
        End::Stillborn(_) | End::Broke(_) if evidence.memory_refused => {
            let max = text::size(evidence.limits.memory_bytes as u64);
            let said = last_words(evidence.last_words);
            let said = if said.is_empty() { said } else { format!("\n\n{said}") };
            failed(ErrorKind::OutOfMemory, &format!("it wanted more memory than its limit of {max}{said}"))
        }
        End::Stillborn(error) if !is_guests_doing(&error) => hosts_fault(&error),
        End::Stillborn(error) | End::Broke(error) => {
            failed(ErrorKind::Trap, &trap_message(&error, evidence.last_words))
        }
    }
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

fn completed(output: &str, max: usize) -> AttemptOutcome {
    if output.len() > max {
        let (found, max) = (text::size(output.len() as u64), text::size(max as u64));
        let message = format!("it returned {found}, more than the {max} that an output may have: write a file to /out");
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

    #[test]
    fn an_output_that_is_not_json_is_fatal_and_shows_its_start() {
        let AttemptOutcome::Failed(error) = completed("done!", 100) else { panic!("it failed not") };
        assert_eq!(error.kind, ErrorKind::Fatal);
        assert!(error.message.starts_with("it returned text that is not JSON: \"done!\" ("), "{}", error.message);
    }
}
