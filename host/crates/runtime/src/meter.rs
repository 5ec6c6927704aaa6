//! What one attempt uses, counted while it runs, and which limit refused it something.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// A limit that refused something in a way that the guest can bear: with an error code or an error text. If it traps
/// afterwards, this is why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Refusal {
    /// `/tmp` is full.
    Scratch = 1,
    /// A granted directory is full.
    Directory,
    /// `/out` has too many bytes.
    ArtifactBytes,
    /// `/out` has too many files.
    ArtifactFiles,
    /// It enqueued enough.
    Enqueues,
}

impl Refusal {
    const ALL: [Self; 5] = [Self::Scratch, Self::Directory, Self::ArtifactBytes, Self::ArtifactFiles, Self::Enqueues];
}

/// Counts what an attempt does through the host. Shared with what works for the guest on other threads.
#[derive(Debug, Default)]
pub(crate) struct Usage {
    read_bytes: AtomicU64,
    written_bytes: AtomicU64,
    http_requests: AtomicU64,
    log_lines: AtomicU64,
    host_calls: AtomicU64,
    /// The last refusal; 0 before the first.
    refusal: AtomicU8,
}

impl Usage {
    /// So many bytes came from a file or in the body of a response.
    pub(crate) fn read(&self, bytes: u64) {
        self.read_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many bytes went to a file or in the body of a request.
    pub(crate) fn written(&self, bytes: u64) {
        self.written_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A request is sent over HTTP.
    pub(crate) fn http_request(&self) {
        self.http_requests.fetch_add(1, Ordering::Relaxed);
    }

    /// A line was printed, kept or not.
    pub(crate) fn log_line(&self) {
        self.log_lines.fetch_add(1, Ordering::Relaxed);
    }

    /// The guest called the host.
    pub(crate) fn host_call(&self) {
        self.host_calls.fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted as a call was the engine's own.
    pub(crate) fn no_host_call(&self) {
        self.host_calls.fetch_sub(1, Ordering::Relaxed);
    }

    /// A limit refused something.
    pub(crate) fn refuse(&self, refusal: Refusal) {
        self.refusal.store(refusal as u8, Ordering::Relaxed);
    }

    /// Which limit refused something last.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        let last = self.refusal.load(Ordering::Relaxed);
        Refusal::ALL.into_iter().find(|refusal| *refusal as u8 == last)
    }

    /// What was counted; the rest of the bill is known elsewhere.
    pub(crate) fn bill(&self) -> windlass_model::Bill {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        windlass_model::Bill {
            read_bytes: count(&self.read_bytes),
            written_bytes: count(&self.written_bytes),
            http_requests: count(&self.http_requests),
            log_lines: count(&self.log_lines),
            host_calls: count(&self.host_calls),
            ..windlass_model::Bill::default()
        }
    }
}

/// The time of a processor that one attempt takes: what passes on its thread while its future is polled.
#[derive(Debug)]
pub(crate) struct CpuMeter {
    max: Option<Duration>,
    spent_ns: AtomicU64,
    /// The thread's time when the poll that goes on began.
    began_ns: AtomicU64,
}

/// It computed for longer than it may.
#[derive(Debug, thiserror::Error)]
#[error("it computed for longer than it may")]
pub(crate) struct CpuTimeOver;

impl CpuMeter {
    pub(crate) fn new(max: Option<Duration>) -> Self {
        Self { max, spent_ns: AtomicU64::new(0), began_ns: AtomicU64::new(0) }
    }

    /// Fails once the time is over. To be called from the thread that polls.
    pub(crate) fn check(&self) -> Result<(), CpuTimeOver> {
        let Some(max) = self.max else { return Ok(()) };
        let running = thread_ns().saturating_sub(self.began_ns.load(Ordering::Relaxed));
        let spent = Duration::from_nanos(self.spent_ns.load(Ordering::Relaxed).saturating_add(running));
        if spent > max { Err(CpuTimeOver) } else { Ok(()) }
    }

    /// What all polls took that have ended.
    pub(crate) fn spent(&self) -> Duration {
        Duration::from_nanos(self.spent_ns.load(Ordering::Relaxed))
    }
}

/// A future whose time of a processor is counted.
pub(crate) struct Metered<'a, F> {
    work: Pin<&'a mut F>,
    cpu: Arc<CpuMeter>,
}

impl<'a, F> Metered<'a, F> {
    pub(crate) fn new(work: Pin<&'a mut F>, cpu: Arc<CpuMeter>) -> Self {
        Self { work, cpu }
    }
}

impl<F: Future> Future for Metered<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let began = thread_ns();
        self.cpu.began_ns.store(began, Ordering::Relaxed);
        let polled = self.work.as_mut().poll(context);
        self.cpu.spent_ns.fetch_add(thread_ns().saturating_sub(began), Ordering::Relaxed);
        polled
    }
}

fn thread_ns() -> u64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
    seconds.unwrap_or(0).saturating_mul(1_000_000_000).saturating_add(nanos.unwrap_or(0))
}

/// How often something may happen: so many times a second for long, and ten seconds' worth at once.
#[derive(Debug)]
pub(crate) struct Rate {
    per_second: u64,
    /// In thousandths of one time, so that a short span gives back its part.
    left: u64,
    last: std::time::Instant,
}

/// How many seconds' worth may happen at once: a program says most at its start and at its end.
const BURST_SECONDS: u64 = 10;

impl Rate {
    pub(crate) fn new(per_second: u64) -> Self {
        let left = per_second.saturating_mul(BURST_SECONDS * 1_000);
        Self { per_second, left, last: std::time::Instant::now() }
    }

    /// Takes one time, if there is one.
    pub(crate) fn take(&mut self) -> bool {
        if self.left < 1_000 {
            self.refill();
        }
        let has = self.left >= 1_000;
        if has {
            self.left -= 1_000;
        }
        has
    }

    fn refill(&mut self) {
        let passed = u64::try_from(self.last.elapsed().as_millis()).unwrap_or(u64::MAX);
        if passed > 0 {
            let full = self.per_second.saturating_mul(BURST_SECONDS * 1_000);
            self.left = self.left.saturating_add(passed.saturating_mul(self.per_second)).min(full);
            self.last += Duration::from_millis(passed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_refusal_is_the_one_that_counts() {
        let usage = Usage::default();
        assert_eq!(usage.refusal(), None);
        for refusal in Refusal::ALL {
            usage.refuse(refusal);
            assert_eq!(usage.refusal(), Some(refusal));
        }
    }

    #[tokio::test]
    async fn what_a_future_computes_is_counted_and_what_it_waits_is_not() {
        let cpu = Arc::new(CpuMeter::new(Some(Duration::from_millis(5))));
        let meter = Arc::clone(&cpu);
        let work = async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert!(meter.check().is_ok());
            while meter.check().is_ok() {}
        };
        Metered::new(std::pin::pin!(work), Arc::clone(&cpu)).await;
        assert!(
            cpu.spent() >= Duration::from_millis(5) && cpu.spent() < Duration::from_millis(40),
            "{:?}",
            cpu.spent()
        );
    }

    #[test]
    fn a_burst_may_have_ten_seconds_worth_and_then_comes_back_with_time() {
        let mut rate = Rate::new(1_000);
        assert_eq!((0..20_000).take_while(|_| rate.take()).count() / 1_000, 10);
        rate.last = rate.last.checked_sub(Duration::from_secs(2)).unwrap();
        assert_eq!((0..20_000).take_while(|_| rate.take()).count() / 1_000, 2);
    }
}
