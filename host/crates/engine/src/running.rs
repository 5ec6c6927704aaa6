//! The attempts that run in this process, so that they can be told to stop.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use windlass_model::JobId;

/// The attempts that run here. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Running {
    attempts: Arc<Mutex<HashMap<JobId, Signals>>>,
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
    pub(crate) fn add(&self, id: JobId, lease: u64) -> Signals {
        let signals = Signals { lease, cancel: CancellationToken::new(), interrupt: CancellationToken::new() };
        self.lock().insert(id, signals.clone());
        signals
    }

    /// Removes an attempt that ended, unless another attempt of the same job has taken its place.
    pub(crate) fn remove(&self, id: JobId, lease: u64) {
        let mut attempts = self.lock();
        if attempts.get(&id).is_some_and(|signals| signals.lease == lease) {
            attempts.remove(&id);
        }
    }

    /// Tells an attempt that its job is to be cancelled. Does nothing if it does not run here under this lease.
    pub(crate) fn cancel(&self, id: JobId, lease: u64) {
        if let Some(signals) = self.lock().get(&id).filter(|signals| signals.lease == lease) {
            signals.cancel.cancel();
        }
    }

    /// What runs here, with the leases.
    pub(crate) fn held(&self) -> Vec<(JobId, u64)> {
        self.lock().iter().map(|(id, signals)| (*id, signals.lease)).collect()
    }

    /// Interrupts all that runs, and says how many there were.
    pub(crate) fn interrupt_all(&self) -> usize {
        let attempts = self.lock();
        for signals in attempts.values() {
            signals.interrupt.cancel();
        }
        attempts.len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobId, Signals>> {
        // The map is whole after every step, so a panic elsewhere does not spoil it.
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
