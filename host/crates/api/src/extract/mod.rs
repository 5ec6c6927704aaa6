//! What a handler takes from a request. Each extractor answers with a problem document that names the fault.

mod body;
mod path;
mod query;

pub(crate) use self::body::{Json, JsonBody, parse_json, read_body};
pub(crate) use self::path::{ArtifactPath, JobPath, OperationPath, QueuePath, TaskPath};
pub(crate) use self::query::{FromParams, Params, Query};
