//! The variable parts of a path.

use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use windlass_model::{JobId, OperationId};

use crate::code::ErrorCode;
use crate::problem::ApiError;

/// `{id}`: a job.
pub(crate) struct JobPath(pub(crate) JobId);

/// `{id}` and `{*name}`: a file of a job.
pub(crate) struct ArtifactPath {
    pub(crate) id: JobId,
    pub(crate) name: String,
}

/// `{name}`: a task. Not parsed: a name that no task can have is a task that does not exist.
pub(crate) struct TaskPath(pub(crate) String);

/// `{name}`: a queue. Not parsed, as with a task.
pub(crate) struct QueuePath(pub(crate) String);

/// `{id}`: an operation.
pub(crate) struct OperationPath(pub(crate) OperationId);

impl<S: Send + Sync> FromRequestParts<S> for QueuePath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        TaskPath::from_request_parts(parts, state).await.map(|TaskPath(name)| Self(name))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for OperationPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = params(parts, state).await?;
        id(param(&params, "id"), "an operation's").map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for JobPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = params(parts, state).await?;
        job_id(param(&params, "id")).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ArtifactPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = params(parts, state).await?;
        Ok(Self { id: job_id(param(&params, "id"))?, name: param(&params, "name").to_owned() })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for TaskPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = params(parts, state).await?;
        Ok(Self(param(&params, "name").to_owned()))
    }
}

async fn params<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<RawPathParams, ApiError> {
    RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|_| ApiError::new(ErrorCode::MalformedPath, "A part of the path is not UTF-8 once it is decoded."))
}

/// The router only gets here if the path has the parameter.
fn param<'a>(params: &'a RawPathParams, name: &str) -> &'a str {
    params.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
}

/// Only the usual form with hyphens: one job has one address.
fn job_id(raw: &str) -> Result<JobId, ApiError> {
    id(raw, "a job's")
}

fn id<T: FromStr>(raw: &str, whose: &str) -> Result<T, ApiError> {
    const LENGTH: usize = 36;
    raw.parse().ok().filter(|_| raw.len() == LENGTH).ok_or_else(|| {
        let shown: String = raw.chars().take(80).collect();
        ApiError::new(
            ErrorCode::MalformedId,
            format!("`{shown}` is not {whose} id, which looks like 0197c2a4-5b1e-7c3d-9f00-3a5d8e6b7c21."),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_form() {
        assert!(job_id("0197c2a4-5b1e-7c3d-9f00-3a5d8e6b7c21").is_ok());
        for raw in [
            "",
            "7",
            "0197c2a45b1e7c3d9f003a5d8e6b7c21",
            "{0197c2a4-5b1e-7c3d-9f00-3a5d8e6b7c21}",
            "urn:uuid:0197c2a4-5b1e-7c3d-9f00-3a5d8e6b7c21",
            "0197c2a4-5b1e-7c3d-9f00-3a5d8e6b7c2x",
        ] {
            assert_eq!(job_id(raw).unwrap_err().code(), ErrorCode::MalformedId, "{raw}");
        }
    }
}
