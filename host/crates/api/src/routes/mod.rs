//! The routes, by resource. Views and bodies stand beside the handlers that use them.

pub(crate) mod artifacts;
pub(crate) mod attempts;
pub(crate) mod document;
pub(crate) mod download;
pub(crate) mod events;
pub(crate) mod fallback;
pub(crate) mod health;
pub(crate) mod jobs;
pub(crate) mod logs;
pub(crate) mod operations;
pub(crate) mod page;
pub(crate) mod queues;
pub(crate) mod tasks;
pub(crate) mod versions;
pub(crate) mod workers;

use windlass_model::{Job, JobId};

use crate::code::ErrorCode;
use crate::problem::ApiError;
use crate::router::Api;

/// The job, or the problem that there is none.
async fn find_job(api: &Api, id: JobId) -> Result<Job, ApiError> {
    api.handle.directory().job_get(id).await?.ok_or_else(|| no_such_job(id))
}

fn no_such_job(id: JobId) -> ApiError {
    ApiError::new(ErrorCode::JobNotFound, format!("There is no job {id}. Finished jobs are pruned after a while."))
}
