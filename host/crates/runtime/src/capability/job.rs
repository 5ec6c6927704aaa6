//! The WIT interface `job`: what a running job can ask and tell. Always granted: it reaches its own job alone.
//!
//! Bounded: a checkpoint by its limit, the text of a report by what the model keeps.

use std::future::Future;
use std::sync::Arc;

use serde_json::json;
use tokio::runtime::Handle;
use windlass_model::{Job, Progress, Timestamp};

use crate::bindings::windlass::task::job::Host;
use crate::bindings::windlass::task::task_types;
use crate::capability::jobs::EnqueueGrant;
use crate::capability::key_value::KeyValueGrant;
use crate::capability::progress::ProgressMeter;
use crate::capability::redaction::Redactor;
use crate::guest::Guest;
use crate::port::{AttemptHost, HostError};
use crate::text;

/// What the guest sees of its job.
pub(crate) struct JobAccess {
    pub(crate) host: Arc<dyn AttemptHost>,
    pub(crate) job: Arc<Job>,
    pub(crate) deadline: Option<Timestamp>,
    pub(crate) checkpoint_max: usize,
    pub(crate) progress: ProgressMeter,
    /// The tasks that it may enqueue.
    pub(crate) enqueue: EnqueueGrant,
    /// How many jobs it may enqueue yet, and how many in all.
    pub(crate) enqueues_left: u64,
    pub(crate) enqueues_max: u64,
    /// The key-value stores that it may use.
    pub(crate) key_value: KeyValueGrant,
    pub(crate) redactor: Redactor,
    /// The caller's runtime. Calls that wait for the database are made there, so that its connections never come to
    /// live on the guests' threads.
    pub(crate) home: Handle,
}

/// What a guest did that ends it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobMisuse {
    /// There is no job while `describe` runs.
    #[error("`describe` cannot use the interfaces `job` and `jobs`: there is no job yet")]
    NoJob,
    /// The checkpoint is too large.
    #[error("a checkpoint of {} was saved, at most {} are kept", text::size(*found as u64), text::size(*max as u64))]
    CheckpointTooLarge { found: usize, max: usize },
}

impl JobAccess {
    pub(crate) async fn ask<F, T>(&self, call: F) -> Result<T, HostError>
    where
        F: Future<Output = Result<T, HostError>> + Send + 'static,
        T: Send + 'static,
    {
        let gone = |_| HostError("the daemon dropped a call of the guest".to_owned());
        self.home.spawn(call).await.map_err(gone)?
    }

    fn context(&self) -> String {
        let job = &self.job;
        json!({
            "job_id": job.id,
            "task": job.task,
            "queue": job.queue,
            "attempt": job.attempt,
            "max_attempts": job.max_attempts,
            "tags": job.tags,
            "metadata": job.metadata,
            "created_at": job.created_at,
        })
        .to_string()
    }
}

impl Guest {
    pub(crate) fn job(&self) -> wasmtime::Result<&JobAccess> {
        self.job.as_ref().ok_or_else(|| JobMisuse::NoJob.into())
    }
}

impl task_types::Host for Guest {}

impl Host for Guest {
    fn report_progress(&mut self, report: task_types::Progress) -> wasmtime::Result<()> {
        let access = self.job()?;
        let told = |info| text::kept(&access.redactor.text(info), Progress::STATUS_INFO_MAX);
        let report = Progress {
            percent_complete: report.percent_complete,
            task_step: report.task_step,
            status_info: report.status_info.map(told),
        };
        let access = self.job.as_mut().ok_or(JobMisuse::NoJob)?;
        if let Some(report) = access.progress.take(report) {
            access.host.progress(report);
        }
        Ok(())
    }

    fn is_cancelled(&mut self) -> wasmtime::Result<bool> {
        Ok(self.job()?.host.is_cancelled())
    }

    fn attempt(&mut self) -> wasmtime::Result<u32> {
        Ok(self.job()?.job.attempt)
    }

    fn max_attempts(&mut self) -> wasmtime::Result<u32> {
        Ok(self.job()?.job.max_attempts)
    }

    fn deadline(&mut self) -> wasmtime::Result<Option<u64>> {
        Ok(self.job()?.deadline.map(|time| u64::try_from(time.as_millis()).unwrap_or(0)))
    }

    async fn save_checkpoint(&mut self, data: Vec<u8>) -> wasmtime::Result<()> {
        let access = self.job()?;
        let (found, max) = (data.len(), access.checkpoint_max);
        if found > max {
            return Err(JobMisuse::CheckpointTooLarge { found, max }.into());
        }
        let host = Arc::clone(&access.host);
        Ok(access.ask(async move { host.save_checkpoint(data).await }).await?)
    }

    async fn load_checkpoint(&mut self) -> wasmtime::Result<Option<Vec<u8>>> {
        let access = self.job()?;
        let host = Arc::clone(&access.host);
        Ok(access.ask(async move { host.load_checkpoint().await }).await?)
    }

    fn context(&mut self) -> wasmtime::Result<String> {
        Ok(self.job()?.context())
    }
}
