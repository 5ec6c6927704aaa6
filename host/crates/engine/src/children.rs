//! Jobs that a running job enqueues.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use windlass_model::{Job, JobId, Parent, Submission};

use crate::enqueue::fill_in;
use crate::executor::Executor;
use crate::handle::{EnqueueError, EnqueueRequest};

/// The children of one attempt.
pub(crate) struct Children {
    parent: JobId,
    lease: u64,
    /// How often this attempt made each request.
    made: Mutex<HashMap<String, u32>>,
}

impl Children {
    pub(crate) fn of(job: &Job) -> Self {
        Self { parent: job.id, lease: job.lease, made: Mutex::default() }
    }

    /// Enqueues a job, unless another attempt made the same request as often before: then that one's job is meant.
    pub(crate) async fn enqueue(
        &self,
        executor: &Executor,
        request: EnqueueRequest,
        fingerprint: String,
    ) -> Result<JobId, EnqueueError> {
        let parent = Parent { id: self.parent, lease: self.lease, child_key: self.next_key(fingerprint) };
        let job = fill_in(&*executor.runner, 0, request, Some(parent))?;
        if !executor.crowds.admits(&job.queue).await.map_err(|fault| EnqueueError::Store(Arc::new(fault)))? {
            return Err(EnqueueError::Crowded { queue: job.queue });
        }
        let enqueued = executor.enqueuer.submit(Submission::from(vec![job])).await?;
        enqueued.jobs.first().map(|added| added.job.id).ok_or(EnqueueError::Stopping)
    }

    /// The number of the request among those like it, and what it is like.
    fn next_key(&self, fingerprint: String) -> String {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let count = made.entry(fingerprint.clone()).or_default();
        *count += 1;
        format!("{count}:{fingerprint}")
    }
}
