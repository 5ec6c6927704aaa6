//! Standard output and error: they become the job's log, a line for a line. Standard input is denied: it is at its end.
//!
//! Bounded: a line that is too long is cut, lines that come too fast are dropped, and the log of an attempt is cut, each with
//! a visible mark. A guest that prints without end is not slowed and not failed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use windlass_model::LogStream;

use crate::capability::redaction::Redactor;
use crate::limits::Limits;
use crate::meter::{Rate, Usage};
use crate::port::AttemptHost;
use crate::text;

/// What a line costs beside its text; see [`Limits::log_bytes`].
const LINE_COST: usize = 32;

/// How many lines of standard error are kept for the message of a trap: a panic message and its notes.
const TAIL_LINES: usize = 20;

/// How much a guest may hand over in one write. As wasmtime does it for its own streams.
const WRITE_PERMIT: usize = 64 * 1_024;

/// The log of one attempt, as its guest writes it. Clones write to the same log.
#[derive(Clone)]
pub(crate) struct GuestLog(Arc<Mutex<State>>);

struct State {
    host: Arc<dyn AttemptHost>,
    redactor: Redactor,
    usage: Arc<Usage>,
    rate: Rate,
    per_second: u64,
    /// Lines that came too fast and have not been told of.
    dropped: u64,
    line_max: usize,
    log_max: usize,
    /// How much of the log is left; `None` after it was cut.
    left: Option<usize>,
    stdout: Partial,
    stderr: Partial,
    tail: VecDeque<String>,
}

/// A line that has no end yet.
#[derive(Default)]
struct Partial {
    text: Vec<u8>,
    /// Whether more came than is kept of a line.
    cut: bool,
}

impl GuestLog {
    pub(crate) fn new(host: Arc<dyn AttemptHost>, limits: &Limits, redactor: Redactor, usage: Arc<Usage>) -> Self {
        Self(Arc::new(Mutex::new(State {
            host,
            redactor,
            usage,
            rate: Rate::new(limits.log_lines_per_second),
            per_second: limits.log_lines_per_second,
            dropped: 0,
            line_max: limits.log_line_bytes,
            log_max: limits.log_bytes,
            left: Some(limits.log_bytes),
            stdout: Partial::default(),
            stderr: Partial::default(),
            tail: VecDeque::new(),
        })))
    }

    /// The guest's end of one of the two streams.
    pub(crate) fn pipe(&self, stream: LogStream) -> LogPipe {
        LogPipe { log: self.clone(), stream }
    }

    /// A line of the daemon's own.
    pub(crate) fn note(&self, line: String) {
        self.with(|state| state.host.log(LogStream::Host, line));
    }

    /// A line of the daemon's about what the guest did. It counts like the guest's own, which can bring about any number.
    pub(crate) fn remark(&self, line: String) {
        self.with(|state| {
            let line = state.redactor.text(line);
            state.keep(LogStream::Host, line, false);
        });
    }

    /// Whole lines that did not come by a stream.
    pub(crate) fn write(&self, stream: LogStream, text: &str) {
        self.with(|state| {
            for line in text.split('\n') {
                let line = state.redactor.text(line.to_owned());
                state.keep(stream, line, false);
            }
        });
    }

    /// Ends the lines that have no end: the guest writes no more.
    pub(crate) fn finish(&self) {
        self.with(|state| {
            for stream in [LogStream::Stdout, LogStream::Stderr] {
                if !state.partial(stream).text.is_empty() {
                    state.end_line(stream);
                }
            }
            state.tell_dropped();
        });
    }

    /// The last lines of standard error.
    pub(crate) fn tail(&self) -> Vec<String> {
        self.with(|state| state.tail.iter().cloned().collect())
    }

    fn with<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn partial(&mut self, stream: LogStream) -> &mut Partial {
        if stream == LogStream::Stderr { &mut self.stderr } else { &mut self.stdout }
    }

    fn write(&mut self, stream: LogStream, mut bytes: &[u8]) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            self.extend(stream, &bytes[..end]);
            self.end_line(stream);
            bytes = &bytes[end + 1..];
        }
        self.extend(stream, bytes);
    }

    fn extend(&mut self, stream: LogStream, bytes: &[u8]) {
        // A secret that begins before the cut is whole, so that it is found.
        let max = self.line_max + self.redactor.longest();
        let partial = self.partial(stream);
        let room = max - partial.text.len().min(max);
        partial.cut |= bytes.len() > room;
        partial.text.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Marks the place where lines are missing.
    fn tell_dropped(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            let (dropped, max) = (grouped(dropped), grouped(self.per_second));
            self.host.log(LogStream::Host, format!("… {dropped} lines were dropped here: more than {max} a second."));
        }
    }

    fn end_line(&mut self, stream: LogStream) {
        let Partial { text, cut } = std::mem::take(self.partial(stream));
        let text = String::from_utf8_lossy(&text);
        let line = self.redactor.text(text::kept(text.trim_end_matches('\r'), usize::MAX));
        self.keep(stream, line, cut);
    }

    /// Hands a line over, cut as it must be.
    fn keep(&mut self, stream: LogStream, mut line: String, cut: bool) {
        if cut || line.len() > self.line_max {
            line.truncate(line.floor_char_boundary(self.line_max));
            line.push_str(" … (cut)");
        }
        if stream == LogStream::Stderr {
            if self.tail.len() == TAIL_LINES {
                self.tail.pop_front();
            }
            self.tail.push_back(line.clone());
        }
        self.usage.log_line();
        let Some(left) = self.left else { return };
        if !self.rate.take() {
            self.dropped += 1;
            return;
        }
        self.tell_dropped();
        self.left = left.checked_sub(line.len() + LINE_COST);
        if self.left.is_some() {
            self.host.log(stream, line);
        } else {
            let max = text::size(self.log_max as u64);
            self.host.log(LogStream::Host, format!("The log is cut here: {max} are kept of an attempt."));
        }
    }
}

/// A number as a person reads it: `12,345`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The guest's end of a stream.
pub(crate) struct LogPipe {
    log: GuestLog,
    stream: LogStream,
}

impl IsTerminal for LogPipe {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for LogPipe {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Asked for by WASI 0.3 only, which is not offered.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Self { log: self.log.clone(), stream: self.stream })
    }
}

#[async_trait]
impl Pollable for LogPipe {
    async fn ready(&mut self) {}
}

impl OutputStream for LogPipe {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.log.with(|state| state.write(self.stream, &bytes));
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_PERMIT)
    }
}

#[cfg(test)]
mod tests {
    use windlass_model::Progress;

    use super::*;
    use crate::port::HostError;

    #[derive(Default)]
    struct Lines(Mutex<Vec<(LogStream, String)>>);

    #[async_trait]
    impl AttemptHost for Lines {
        fn progress(&self, _: Progress) {}

        fn log(&self, stream: LogStream, line: String) {
            self.0.lock().unwrap().push((stream, line));
        }

        fn is_cancelled(&self) -> bool {
            false
        }

        async fn save_checkpoint(&self, _: Vec<u8>) -> Result<(), HostError> {
            Ok(())
        }

        async fn load_checkpoint(&self) -> Result<Option<Vec<u8>>, HostError> {
            Ok(None)
        }
    }

    fn written(writes: &[(LogStream, &[u8])]) -> Vec<(LogStream, String)> {
        let lines = Arc::new(Lines::default());
        let log = GuestLog::new(lines.clone(), &Limits::default(), Redactor::default(), Arc::default());
        for (stream, bytes) in writes {
            log.pipe(*stream).write(Bytes::copy_from_slice(bytes)).unwrap();
        }
        log.finish();
        lines.0.lock().unwrap().clone()
    }

    #[test]
    fn a_line_in_pieces_is_one_line_and_the_last_needs_no_end() {
        let (out, err) = (LogStream::Stdout, LogStream::Stderr);
        let lines = written(&[(out, b"he"), (err, b"oh\n"), (out, b"llo\r\n\nwor"), (out, b"ld")]);
        let expected = [(err, "oh"), (out, "hello"), (out, ""), (out, "world")];
        assert_eq!(lines, expected.map(|(stream, line)| (stream, line.to_owned())));
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let lines = written(&[(LogStream::Stdout, b"a\0b\xff\n")]);
        assert_eq!(lines[0].1, "a\0b\u{FFFD}");
    }

    #[test]
    fn the_tail_holds_the_last_lines_even_after_the_log_was_cut() {
        let limits = Limits { log_bytes: 0, ..Limits::default() };
        let log = GuestLog::new(Arc::new(Lines::default()), &limits, Redactor::default(), Arc::default());
        for n in 0..100 {
            log.pipe(LogStream::Stderr).write(Bytes::from(format!("{n}\n"))).unwrap();
        }
        let tail = log.tail();
        assert_eq!((tail.len(), tail[0].as_str(), tail[19].as_str()), (20, "80", "99"));
    }

    #[test]
    fn a_secret_is_found_in_pieces_and_at_the_cut() {
        let lines = Arc::new(Lines::default());
        let limits = Limits { log_line_bytes: 10, ..Limits::default() };
        let redactor = Redactor::new([("key", "hunter22")].into_iter());
        let log = GuestLog::new(lines.clone(), &limits, redactor, Arc::default());
        for piece in ["hun", "ter22\n", "0123456hunter22 and more\n"] {
            log.pipe(LogStream::Stdout).write(Bytes::from(piece)).unwrap();
        }
        log.write(LogStream::Stderr, "a\nhunter22");
        log.remark("hunter22".to_owned());
        let found = lines.0.lock().unwrap().iter().map(|(_, line)| line.clone()).collect::<Vec<_>>();
        let secret = "[secret ke … (cut)";
        assert_eq!(found, [secret, "0123456[se … (cut)", "a", secret, secret]);
    }

    #[test]
    fn what_the_daemon_remarks_counts_like_what_the_guest_prints() {
        let lines = Arc::new(Lines::default());
        let limits = Limits { log_bytes: 10_000, ..Limits::default() };
        let log = GuestLog::new(lines.clone(), &limits, Redactor::default(), Arc::default());
        for _ in 0..1_000 {
            log.remark("Denied".to_owned());
        }
        assert!(lines.0.lock().unwrap().len() < 300);
    }
}
