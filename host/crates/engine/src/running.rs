//! The jobs that this worker holds, so that they can be told to stop and asked what they have to tell.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use windlass_model::JobId;

use crate::reporter::Reporter;

/// The jobs that were claimed here and whose end is not durable. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Running(Arc<Held>);

#[derive(Default)]
struct Held {
    jobs: Mutex<HashMap<JobId, Entry>>,
    /// An attempt began while none ran.
    busy: Notify,
    /// A job was cancelled.
    told: Notify,
}

struct Entry {
    signals: Signals,
    /// What its attempt tells; absent until that begins.
    reporter: Option<Arc<Reporter>>,
    /// When it was told of a cancel.
    cancelled: Option<Instant>,
}

/// How one running attempt is told to stop.
#[derive(Clone, Debug)]
pub(crate) struct Signals {
    /// The lease that it runs under.
    pub(crate) lease: u64,
    /// Somebody wants the job cancelled: the guest can see it.
    pub(crate) cancel: CancellationToken,
    /// It ends now, whatever the guest does.
    pub(crate) interrupt: CancellationToken,
}

impl Running {
    /// Notes a job that was claimed.
    pub(crate) fn add(&self, id: JobId, lease: u64) -> Signals {
        let signals = Signals { lease, cancel: CancellationToken::new(), interrupt: CancellationToken::new() };
        self.lock().insert(id, Entry { signals: signals.clone(), reporter: None, cancelled: None });
        signals
    }

    /// Notes that its attempt begins.
    pub(crate) fn begin(&self, id: JobId, reporter: Arc<Reporter>) {
        if let Some(entry) = self.lock().get_mut(&id) {
            entry.reporter = Some(reporter);
        }
        self.0.busy.notify_one();
    }

    /// Removes jobs whose end is durable, each unless another attempt of it has taken its place.
    pub(crate) fn remove(&self, ended: impl Iterator<Item = (JobId, u64)>) {
        let mut jobs = self.lock();
        for (id, lease) in ended {
            if jobs.get(&id).is_some_and(|entry| entry.signals.lease == lease) {
                jobs.remove(&id);
            }
        }
    }

    /// Tells an attempt that its job is to be cancelled. Does nothing if it does not run here under this lease.
    pub(crate) fn cancel(&self, id: JobId, lease: u64) {
        if let Some(entry) = self.lock().get_mut(&id).filter(|entry| entry.signals.lease == lease) {
            entry.signals.cancel.cancel();
            entry.cancelled.get_or_insert_with(Instant::now);
            self.0.told.notify_one();
        }
    }

    /// What this worker holds, with the leases.
    pub(crate) fn held(&self) -> Vec<(JobId, u64)> {
        self.lock().iter().map(|(id, entry)| (*id, entry.signals.lease)).collect()
    }

    /// Interrupts all that runs, and says how many there were.
    pub(crate) fn interrupt_all(&self) -> usize {
        let jobs = self.lock();
        for entry in jobs.values() {
            entry.signals.interrupt.cancel();
        }
        jobs.len()
    }

    /// Those who may have something to tell; waits until there is one at least.
    pub(crate) async fn reporters(&self) -> Vec<Arc<Reporter>> {
        loop {
            let busy = self.0.busy.notified();
            let reporters: Vec<_> = self.lock().values().filter_map(|entry| entry.reporter.clone()).collect();
            if !reporters.is_empty() {
                return reporters;
            }
            busy.await;
        }
    }

    /// Lets handlers that were told of a cancel go on for a while, then interrupts them. Runs for ever.
    pub(crate) async fn interrupt_after(self, grace: Duration) {
        loop {
            let told = self.0.told.notified();
            match self.interrupt_overdue(grace) {
                Some(next) => tokio::time::sleep(next).await,
                None => told.await,
            }
        }
    }

    /// Interrupts those whose grace is over, and says when the next one's is.
    fn interrupt_overdue(&self, grace: Duration) -> Option<Duration> {
        let jobs = self.lock();
        let waiting = jobs.values().filter(|entry| !entry.signals.interrupt.is_cancelled());
        let left = waiting.filter_map(|entry| {
            let left = grace.saturating_sub(entry.cancelled?.elapsed());
            if left.is_zero() {
                entry.signals.interrupt.cancel();
                return None;
            }
            Some(left)
        });
        left.min()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Entry>> {
        // The map is whole after every step, so a panic elsewhere does not spoil it.
        self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
