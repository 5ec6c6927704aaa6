//! Why nothing was enqueued, as a problem document.

use windlass_engine::{ArgsFault, EnqueueError};
use windlass_model::TaskName;
use windlass_store::Refusal;

use crate::code::ErrorCode;
use crate::nearest::nearest;
use crate::problem::{ApiError, FieldError};
use crate::router::Api;

/// Whether the client sent one job or a list, which decides how a field is named.
#[derive(Clone, Copy)]
pub(crate) enum Sent {
    /// One job: `args/columns/0`.
    One,
    /// A list of jobs: `3/args/columns/0`.
    Many,
}

/// Turns the engine's refusal into a problem.
pub(crate) fn refusal(api: &Api, sent: Sent, error: EnqueueError) -> ApiError {
    match error {
        EnqueueError::UnknownTask { index, task } => sent
            .at(index, unknown_task(api, task.as_str()).with_errors(vec![sent.field(index, "task", "no such task")])),
        EnqueueError::NotLoaded { index, task, reason } => {
            let detail = format!("The task `{task}` is not in service: {reason}");
            sent.at(index, ApiError::new(ErrorCode::TaskNotLoaded, detail))
        }
        EnqueueError::Args { index, task, faults } => sent.at(index, wrong_args(sent, index, &task, faults)),
        EnqueueError::Refused(refusal) => refused(sent, refusal),
        EnqueueError::Crowded { .. } => ApiError::internal("an application's job is not bounded by what waits"),
        EnqueueError::Overloaded => {
            let detail = "More enqueues are waiting for the database than may wait. Nothing was enqueued; try again in a moment.";
            ApiError::new(ErrorCode::Overloaded, detail).with_retry_after(1)
        }
        EnqueueError::Stopping => stopping(),
        // The engine has logged the cause, once for all requests of the commit.
        EnqueueError::Store(error) if error.is_passing() => {
            let detail = "The database does not answer. Nothing was enqueued; try again in a moment.";
            ApiError::new(ErrorCode::DatabaseUnavailable, detail).with_retry_after(1)
        }
        EnqueueError::Store(_) => ApiError::new(ErrorCode::Internal, "Nothing was enqueued. The cause is in the log."),
    }
}

fn refused(sent: Sent, refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::Duplicate { index, holder } => {
            let detail = format!("The job {holder} holds the same unique key. Nothing was enqueued.");
            sent.at(index, ApiError::new(ErrorCode::DuplicateJob, detail).with_job(holder))
        }
        Refusal::NoSuchJob { index, after } => {
            let fault = sent.field(index, "after", format!("there is no job {after}, or it has been pruned"));
            sent.at(index, ApiError::fields(ErrorCode::InvalidRequest, vec![fault]))
        }
        Refusal::KeyReused => {
            let detail = "The same Idempotency-Key came with another request within the last day. Nothing was enqueued: send \
                another key, or the same request.";
            ApiError::new(ErrorCode::IdempotencyKeyReused, detail)
        }
        Refusal::ParentLost => ApiError::internal("an application's job has a parent"),
    }
}

/// There is no such task; these may have been meant.
pub(crate) fn unknown_task(api: &Api, wanted: &str) -> ApiError {
    let tasks = api.handle.tasks();
    let nearest = nearest(wanted, tasks.iter().map(|task| task.name.as_str()));
    let shown: String = wanted.chars().take(TaskName::MAX).collect();
    let hint = nearest.first().map(|name| format!("; did you mean `{name}`?")).unwrap_or_else(|| ".".to_owned());
    ApiError::new(ErrorCode::TaskNotFound, format!("There is no task `{shown}`{hint}")).with_nearest(nearest)
}

/// The daemon is going away.
pub(crate) fn stopping() -> ApiError {
    ApiError::new(ErrorCode::Stopping, "The daemon is shutting down. Try again when it is back.").with_retry_after(1)
}

fn wrong_args(sent: Sent, index: usize, task: &TaskName, faults: Vec<ArgsFault>) -> ApiError {
    let errors: Vec<_> =
        faults.into_iter().map(|fault| sent.field(index, &format!("args{}", fault.pointer), fault.message)).collect();
    let first = errors.first().map(|error| format!(": {error}")).unwrap_or_default();
    let detail = format!("The arguments do not fit the task `{task}`{first}");
    ApiError::new(ErrorCode::ArgsInvalid, detail).with_errors(errors)
}

impl Sent {
    fn field(self, index: usize, field: &str, message: impl Into<String>) -> FieldError {
        match self {
            Self::One => FieldError::new(field, message),
            Self::Many => FieldError::new(format!("{index}/{field}"), message),
        }
    }

    fn at(self, index: usize, error: ApiError) -> ApiError {
        match self {
            Self::One => error,
            Self::Many => error.with_index(index),
        }
    }
}
