//! Tells those who watch a job that something about it may have changed.
//!
//! A hint, nothing more: it carries no content, and a watcher looks into the database. So nothing is lost when a watcher is
//! slow, and a change on another host, which this bus does not hear of, is only seen later.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use windlass_model::JobId;

/// Counts the hints after which a job may be over. Others leave it as it is, and are told all the same.
type Watched = HashMap<JobId, watch::Sender<u64>>;

/// The bus. Only jobs that somebody watches take room. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Bus {
    watched: Arc<Mutex<Watched>>,
}

/// A watch on one job.
pub struct JobWatch {
    id: JobId,
    bus: Bus,
    receiver: watch::Receiver<u64>,
    /// How many such hints this watch has gone by.
    seen: u64,
}

impl Bus {
    pub(crate) fn watch(&self, id: JobId) -> JobWatch {
        let receiver = self.lock().entry(id).or_insert_with(|| watch::Sender::new(0)).subscribe();
        let seen = *receiver.borrow();
        JobWatch { id, bus: self.clone(), receiver, seen }
    }

    /// Something about these jobs has changed; they may be over.
    pub(crate) fn publish(&self, ids: impl IntoIterator<Item = JobId>) {
        self.tell(ids, 1);
    }

    /// These jobs have started, or their attempts told something.
    pub(crate) fn publish_progress(&self, ids: impl IntoIterator<Item = JobId>) {
        self.tell(ids, 0);
    }

    /// How many jobs somebody watches.
    pub(crate) fn watched(&self) -> usize {
        self.lock().len()
    }

    fn tell(&self, ids: impl IntoIterator<Item = JobId>, ends: u64) {
        let watched = self.lock();
        if watched.is_empty() {
            return;
        }
        for id in ids {
            if let Some(sender) = watched.get(&id) {
                sender.send_modify(|count| *count += ends);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Watched> {
        // A map of senders is whole after every step, so a panic elsewhere does not spoil it.
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl JobWatch {
    /// Returns when something may have changed since the watch was made or since the last call. Level-triggered: a change
    /// between two calls is not lost.
    pub async fn changed(&mut self) {
        if self.receiver.changed().await.is_err() {
            // The sender lives as long as this watch does (see `drop`), so this cannot be; waiting is the harmless answer.
            std::future::pending::<()>().await;
        }
    }
}

impl JobWatch {
    /// Returns when the job may be over: not for what it only tells while it runs. Level-triggered too.
    pub async fn ended(&mut self) {
        loop {
            let count = *self.receiver.borrow_and_update();
            if count != self.seen {
                self.seen = count;
                return;
            }
            self.changed().await;
        }
    }
}

impl Drop for JobWatch {
    fn drop(&mut self) {
        let mut watched = self.bus.lock();
        // This receiver still counts as one.
        if watched.get(&self.id).is_some_and(|sender| sender.receiver_count() <= 1) {
            watched.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use uuid::Uuid;

    use super::*;

    fn id(n: u128) -> JobId {
        JobId::from_uuid(Uuid::from_u128(n))
    }

    #[tokio::test]
    async fn a_change_between_two_looks_is_not_lost() {
        let bus = Bus::default();
        let mut watch = bus.watch(id(1));
        bus.publish([id(1), id(2)]);
        watch.changed().await;
        bus.publish([id(1)]);
        watch.changed().await;
    }

    #[tokio::test]
    async fn who_waits_for_the_end_is_not_woken_by_progress() {
        let bus = Bus::default();
        let mut watch = bus.watch(id(1));
        bus.publish_progress([id(1)]);
        assert!(watch.ended().now_or_never().is_none());
        bus.publish([id(1)]);
        bus.publish_progress([id(1)]);
        watch.ended().await;
        assert!(watch.ended().now_or_never().is_none());
    }

    #[test]
    fn a_job_that_nobody_watches_any_more_takes_no_room() {
        let bus = Bus::default();
        let (first, second) = (bus.watch(id(1)), bus.watch(id(1)));
        drop(first);
        assert_eq!(bus.lock().len(), 1);
        drop(second);
        assert!(bus.lock().is_empty());
    }
}
