//! The files that a job left behind.

use axum::Json;
use axum::extract::State;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use utoipa::ToSchema;
use windlass_model::{Artifact, JobId};

use super::find_job;
use crate::extract::JobPath;
use crate::problem::{ApiError, Problem};
use crate::router::{API, Api};

/// What may stand in a part of a URL, and in a file name after RFC 8187, as it is.
pub(crate) const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The files of a job.
#[derive(Serialize, ToSchema)]
#[schema(as = ArtifactList)]
pub(crate) struct ArtifactListView {
    /// By name; empty unless the job is `completed`.
    artifacts: Vec<ArtifactView>,
}

/// A file that a job left behind.
#[derive(Serialize, ToSchema)]
#[schema(as = Artifact)]
pub(crate) struct ArtifactView {
    /// Its path below `/out`, with `/` between its parts.
    #[schema(example = "flights.csv")]
    name: String,
    /// Its size.
    bytes: u64,
    /// Guessed from the name.
    #[schema(example = "text/csv")]
    content_type: String,
    /// The SHA-256 of its content, in hexadecimal.
    sha256: String,
    /// The path to download it from.
    url: String,
}

impl ArtifactView {
    pub(crate) fn new(job: JobId, artifact: Artifact) -> Self {
        let parts: Vec<_> = artifact.name.split('/').map(|part| utf8_percent_encode(part, PLAIN).to_string()).collect();
        let url = format!("{API}/jobs/{job}/artifacts/{}", parts.join("/"));
        let Artifact { name, bytes, content_type, sha256, lease: _ } = artifact;
        Self { name, bytes, content_type, sha256, url }
    }
}

/// Lists a job's files
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}/artifacts",
    tag = "jobs",
    operation_id = "listArtifacts",
    params(("id" = Uuid, Path, description = "The job.")),
    responses(
        (status = 200, description = "The files, by name.", body = ArtifactListView),
        (status = 400, description = "The id is malformed.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such job, or it has been pruned.",
            body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_artifacts(
    State(api): State<Api>,
    JobPath(id): JobPath,
) -> Result<Json<ArtifactListView>, ApiError> {
    find_job(&api, id).await?;
    let artifacts = api.handle.directory().artifact_list(id).await?;
    Ok(Json(ArtifactListView { artifacts: artifacts.into_iter().map(|file| ArtifactView::new(id, file)).collect() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_file_keeps_its_slashes_and_escapes_the_rest() {
        let id: JobId = "0197c2a4-5b1e-7c3d-9f00-3a5d8e6b7c21".parse().unwrap();
        let artifact = Artifact {
            name: "a b/ü?#.csv".to_owned(),
            bytes: 1,
            content_type: "text/csv".to_owned(),
            sha256: "00".to_owned(),
            lease: 1,
        };
        let url = ArtifactView::new(id, artifact).url;
        assert_eq!(url, format!("/api/v1/jobs/{id}/artifacts/a%20b/%C3%BC%3F%23.csv"));
    }
}
