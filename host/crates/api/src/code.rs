//! The codes of the problems: the part of an error that programs branch on. A published code never changes its meaning.

use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $status:ident, $text:literal, $title:literal;)*) => {
        /// What went wrong, for programs. A code never changes its meaning; new ones may be added.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum ErrorCode {
            $($(#[$doc])* $name,)*
        }

        impl ErrorCode {
            /// All codes, in the order of their status.
            #[cfg(test)]
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)*];

            /// The status that goes with it.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)* }
            }

            /// The name on the wire.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What it means, the same for each occurrence.
            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

codes! {
    /// The body is not well-formed JSON.
    InvalidJson = BAD_REQUEST, "invalid_json", "The body is not JSON";
    /// The body ended early or could not be read.
    UnreadableBody = BAD_REQUEST, "unreadable_body", "The body could not be read";
    /// An id in the path is not a UUID.
    MalformedId = BAD_REQUEST, "malformed_id", "The id is not a UUID";
    /// A part of the path is not UTF-8 once it is decoded.
    MalformedPath = BAD_REQUEST, "malformed_path", "The path is not UTF-8";
    /// A parameter of the query, or a header that acts as one, is unknown, repeated or has a wrong value.
    InvalidQuery = BAD_REQUEST, "invalid_query", "A parameter is unknown or has a wrong value";
    /// There is nothing at this path.
    NotFound = NOT_FOUND, "not_found", "There is nothing at this path";
    /// There is no such job, or it has been pruned.
    JobNotFound = NOT_FOUND, "job_not_found", "There is no such job";
    /// No plugin has this name.
    TaskNotFound = NOT_FOUND, "task_not_found", "There is no such task";
    /// The version that was named is not known, or its component is not kept any more.
    VersionNotFound = NOT_FOUND, "version_not_found", "The version is not kept";
    /// There is no such queue, or no queue can have this name.
    QueueNotFound = NOT_FOUND, "queue_not_found", "There is no such queue";
    /// There is no such operation, or it has been forgotten.
    OperationNotFound = NOT_FOUND, "operation_not_found", "There is no such operation";
    /// The job has no artifact of this name.
    ArtifactNotFound = NOT_FOUND, "artifact_not_found", "The job has no such artifact";
    /// The path is right and the method is not; see the `Allow` header.
    MethodNotAllowed = METHOD_NOT_ALLOWED, "method_not_allowed", "This path does not take this method";
    /// The task is known, but no version of it is in service.
    TaskNotLoaded = CONFLICT, "task_not_loaded", "The task is not in service";
    /// The task is pinned, so nothing else is put in service.
    TaskPinned = CONFLICT, "task_pinned", "The task is pinned";
    /// No other version was in service before.
    NoVersionBefore = CONFLICT, "no_version_before", "There is no version to go back to";
    /// The version is in service already, or another one has been put in service meanwhile.
    VersionInService = CONFLICT, "version_in_service", "The version is in service already";
    /// The job is over, so it cannot be cancelled.
    JobFinished = CONFLICT, "job_finished", "The job is over";
    /// The job runs, so it cannot be retried.
    JobRunning = CONFLICT, "job_running", "The job is running";
    /// Another job holds the unique key; `job_id` says which.
    DuplicateJob = CONFLICT, "duplicate_job", "Another job holds the unique key";
    /// The artifact is recorded, but its content is not in the artifact store any more.
    ArtifactGone = GONE, "artifact_gone", "The artifact's content is gone";
    /// The body is larger than this call takes.
    BodyTooLarge = PAYLOAD_TOO_LARGE, "body_too_large", "The body is too large";
    /// The body's content type is not one that this call takes.
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "The content type is not supported";
    /// The range lies outside the artifact.
    RangeNotSatisfiable = RANGE_NOT_SATISFIABLE, "range_not_satisfiable", "The range lies outside the artifact";
    /// The body is JSON, but a field is unknown, missing or has a wrong value.
    InvalidRequest = UNPROCESSABLE_ENTITY, "invalid_request", "A field is unknown, missing or has a wrong value";
    /// The component cannot be served; the detail says why.
    InvalidComponent = UNPROCESSABLE_ENTITY, "invalid_component", "The component cannot be served";
    /// The batch has more jobs than one batch may have.
    TooManyJobs = UNPROCESSABLE_ENTITY, "too_many_jobs", "The batch has too many jobs";
    /// The arguments do not fit the schema of the task.
    ArgsInvalid = UNPROCESSABLE_ENTITY, "args_invalid", "The arguments do not fit the task";
    /// The idempotency key was used for another request within the last day.
    IdempotencyKeyReused = UNPROCESSABLE_ENTITY, "idempotency_key_reused", "The idempotency key was used for another request";
    /// The daemon failed. The cause is in its log.
    Internal = INTERNAL_SERVER_ERROR, "internal", "The daemon failed";
    /// More is waiting for the daemon than may wait. Nothing was kept; try again.
    Overloaded = SERVICE_UNAVAILABLE, "overloaded", "The daemon is overloaded";
    /// The daemon is shutting down.
    Stopping = SERVICE_UNAVAILABLE, "stopping", "The daemon is shutting down";
    /// The database does not answer. Try again.
    DatabaseUnavailable = SERVICE_UNAVAILABLE, "database_unavailable", "The database is not available";
    /// The artifact store does not answer. Try again.
    ArtifactStoreUnavailable = SERVICE_UNAVAILABLE, "artifact_store_unavailable", "The artifact store is not available";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_one_name() {
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn the_list_of_codes_is_what_clients_were_promised() {
        let list: Vec<_> = ErrorCode::ALL
            .iter()
            .map(|code| format!("{} {} | {}", code.status().as_u16(), code.as_str(), code.title()))
            .collect();
        insta::assert_snapshot!("error_codes", list.join("\n"));
    }
}
