//! Which queues are so full that running jobs may not add to them: a job that enqueues itself twice would fill the database.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use windlass_model::{JobState, QueueName};
use windlass_store::{QueueBoard, StoreError};

/// How many jobs may wait in a queue when a running job adds one. Applications may add more: they are trusted, and told by
/// nobody when to stop.
pub(crate) const MAX_WAITING: u64 = 100_000;

/// For how long counts are believed. What is added here meanwhile is counted along.
const FRESH: Duration = Duration::from_secs(1);

/// How many jobs wait in each queue, as running jobs ask for it.
pub(crate) struct Crowds {
    board: Arc<dyn QueueBoard>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    at: Option<Instant>,
    waiting: HashMap<QueueName, u64>,
}

impl Crowds {
    pub(crate) fn new(board: Arc<dyn QueueBoard>) -> Self {
        Self { board, known: Mutex::default() }
    }

    /// Counts one more job in a queue, if there is room for it.
    pub(crate) async fn admits(&self, queue: &QueueName) -> Result<bool, StoreError> {
        let mut known = self.known.lock().await;
        if known.at.is_none_or(|at| at.elapsed() > FRESH) {
            let queues = self.board.queue_list().await?;
            let waits = [JobState::Scheduled, JobState::Available, JobState::Retryable];
            let waiting = queues.into_iter().map(|queue| {
                let jobs = waits.iter().map(|state| queue.counts.get(*state)).sum();
                (queue.name, jobs)
            });
            *known = Known { waiting: waiting.collect(), at: Some(Instant::now()) };
        }
        let waiting = known.waiting.entry(queue.clone()).or_default();
        let admits = *waiting < MAX_WAITING;
        *waiting += u64::from(admits);
        Ok(admits)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use async_trait::async_trait;
    use windlass_model::{JobCounts, QueueChange, QueueInfo, QueueSettings, Timestamp};

    use super::*;

    /// One queue, in which so many jobs wait.
    struct Board {
        waiting: u64,
        looks: AtomicU64,
    }

    #[async_trait]
    impl QueueBoard for Board {
        async fn queue_list(&self) -> Result<Vec<QueueInfo>, StoreError> {
            self.looks.fetch_add(1, Ordering::Relaxed);
            let mut counts = JobCounts::default();
            counts.add(JobState::Available, self.waiting - 1);
            counts.add(JobState::Retryable, 1);
            counts.add(JobState::Completed, u64::from(u32::MAX));
            let settings = QueueSettings::default();
            Ok(vec![QueueInfo { name: "forks".parse().unwrap(), settings, counts, oldest_available_at: None }])
        }

        async fn queue_get(&self, _: &QueueName) -> Result<Option<QueueInfo>, StoreError> {
            unreachable!("nobody asks")
        }

        async fn queue_change(
            &self,
            _: &QueueName,
            _: &QueueChange,
            _: Option<Timestamp>,
        ) -> Result<QueueInfo, StoreError> {
            unreachable!("nobody asks")
        }

        async fn job_counts(&self) -> Result<JobCounts, StoreError> {
            unreachable!("nobody asks")
        }
    }

    #[tokio::test]
    async fn a_full_queue_takes_no_more_from_running_jobs_and_another_one_does() {
        let board = Arc::new(Board { waiting: MAX_WAITING - 2, looks: AtomicU64::new(0) });
        let crowds = Crowds::new(board.clone());
        let (forks, other) = ("forks".parse().unwrap(), "other".parse().unwrap());
        // What was added since the look counts too.
        for admits in [true, true, false, false] {
            assert_eq!(crowds.admits(&forks).await.unwrap(), admits);
        }
        assert!(crowds.admits(&other).await.unwrap());
        assert_eq!(board.looks.load(Ordering::Relaxed), 1, "one look serves many jobs");
    }
}
