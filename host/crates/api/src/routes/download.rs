//! The content of a file that a job left behind.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use percent_encoding::utf8_percent_encode;
use windlass_engine::ArtifactError;
use windlass_model::{Artifact, JobId};

use super::artifacts::PLAIN;
use super::find_job;
use crate::code::ErrorCode;
use crate::extract::ArtifactPath;
use crate::problem::{ApiError, Problem};
use crate::range::{RangeAnswer, read_range};
use crate::router::Api;

/// Downloads a file
///
/// Ranges of bytes are served, one at a time (`bytes=0-99`, `bytes=100-`, `bytes=-100`), so that a download can be resumed;
/// send `If-Range` with the `ETag` to be sure that it is still the same file. The `ETag` is the SHA-256 of the content.
#[utoipa::path(
    get,
    path = "/api/v1/jobs/{id}/artifacts/{*name}",
    tag = "jobs",
    operation_id = "downloadArtifact",
    params(
        ("id" = Uuid, Path, description = "The job."),
        ("name" = String, Path, description = "The file's name. Its slashes may stay as they are.", example = "flights.csv"),
        ("Range" = Option<String>, Header, nullable = false, description = "Which bytes, for example `bytes=0-1023`."),
        ("If-Range" = Option<String>, Header, nullable = false, description = "Ignore `Range` unless this is the file's `ETag`."),
        ("If-None-Match" = Option<String>, Header, nullable = false, description = "Answer 304 if this is the file's `ETag`."),
    ),
    responses(
        (status = 200, description = "The whole file.", body = Vec<u8>, content_type = "application/octet-stream",
            headers(("ETag" = String, description = "The SHA-256 of the whole file, in quotes."))),
        (status = 206, description = "A part of the file.", body = Vec<u8>, content_type = "application/octet-stream",
            headers(("Content-Range" = String, description = "Which part, of how many bytes."))),
        (status = 304, description = "The file is the one that the client has."),
        (status = 400, description = "The id is malformed.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such job, or it has no such file.",
            body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The file is recorded, but its content is gone.",
            body = Problem, content_type = "application/problem+json"),
        (status = 416, description = "The range lies outside the file; `Content-Range` says how many bytes it has.",
            body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The artifact store does not answer.",
            body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn download_artifact(
    State(api): State<Api>,
    ArtifactPath { id, name }: ArtifactPath,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let artifact = find_artifact(&api, id, &name).await?;
    let etag = format!("\"{}\"", artifact.sha256);
    if header(&headers, IF_NONE_MATCH).is_some_and(|tags| has_tag(tags, &etag)) {
        return Ok((StatusCode::NOT_MODIFIED, described(&artifact, &etag)).into_response());
    }
    // A range is defined for GET alone, and only if the file is still the one that the client has a part of.
    let range = header(&headers, RANGE)
        .filter(|_| method == Method::GET && header(&headers, IF_RANGE).is_none_or(|tag| tag == etag));
    let (status, part) = match range.map_or(RangeAnswer::Whole, |range| read_range(range, artifact.bytes)) {
        RangeAnswer::Whole => (StatusCode::OK, None),
        RangeAnswer::Part(part) => (StatusCode::PARTIAL_CONTENT, Some(part)),
        RangeAnswer::Outside => return Err(outside(&artifact)),
    };
    let mut answer = described(&artifact, &etag);
    let length = part.as_ref().map_or(artifact.bytes, |part| part.end - part.start);
    answer.insert(CONTENT_LENGTH, length.into());
    if let Some(part) = &part {
        answer.insert(CONTENT_RANGE, text(&format!("bytes {}-{}/{}", part.start, part.end - 1, artifact.bytes)));
    }
    let body = if method == Method::HEAD {
        Body::empty()
    } else {
        let chunks = api.handle.artifact(id, &artifact, part).await.map_err(|error| unreadable(&artifact, error))?;
        Body::from_stream(chunks.inspect(move |chunk| log_broken(id, chunk)))
    };
    Ok((status, answer, body).into_response())
}

async fn find_artifact(api: &Api, id: JobId, name: &str) -> Result<Artifact, ApiError> {
    let artifacts = api.handle.directory().artifact_list(id).await?;
    if let Some(artifact) = artifacts.into_iter().find(|artifact| artifact.name == name) {
        return Ok(artifact);
    }
    let state = find_job(api, id).await?.state;
    let shown: String = name.chars().take(200).collect();
    let detail = format!("The job {id}, which is {state}, has no artifact `{shown}`. Only completed jobs have any.");
    Err(ApiError::new(ErrorCode::ArtifactNotFound, detail))
}

/// The headers that go with a file, whatever is sent of it.
fn described(artifact: &Artifact, etag: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(ETAG, text(etag));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_TYPE, text(&artifact.content_type));
    headers.insert(CONTENT_DISPOSITION, text(&disposition(&artifact.name)));
    // It may be kept, but not believed: a job that is retried leaves other files under the same names.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    // A handler's HTML must not run as a page of this origin, even where a browser is told to show it.
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox; default-src 'none'"));
    headers
}

/// To be kept as a file, under the last part of its name. The plain form is for old clients, the other one is RFC 8187's.
fn disposition(name: &str) -> String {
    let file = name.rsplit('/').next().unwrap_or(name);
    let plain: String = file
        .chars()
        .map(|c| if (c.is_ascii_graphic() || c == ' ') && !matches!(c, '"' | '\\' | '%') { c } else { '_' })
        .collect();
    let mut value = format!("attachment; filename=\"{plain}\"");
    if plain != file {
        value.push_str(&format!("; filename*=UTF-8''{}", utf8_percent_encode(file, PLAIN)));
    }
    value
}

/// What a plugin names must not break an answer: what cannot be a header becomes an unknown type.
fn text(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Compares as RFC 9110 demands for `If-None-Match`: a weak tag counts as well.
fn has_tag(list: &str, etag: &str) -> bool {
    list.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

fn outside(artifact: &Artifact) -> ApiError {
    ApiError::new(ErrorCode::RangeNotSatisfiable, format!("The artifact has {} bytes.", artifact.bytes))
        .with_header(CONTENT_RANGE, text(&format!("bytes */{}", artifact.bytes)))
}

fn unreadable(artifact: &Artifact, error: ArtifactError) -> ApiError {
    match error {
        ArtifactError::Gone => {
            let detail = format!("The content of `{}` is not in the artifact store any more.", artifact.name);
            ApiError::new(ErrorCode::ArtifactGone, detail).because(error)
        }
        ArtifactError::Store(_) => {
            let detail = "The artifact store does not answer. Try again in a moment.";
            ApiError::new(ErrorCode::ArtifactStoreUnavailable, detail).with_retry_after(1).because(error)
        }
    }
}

/// The status is out already: all that is left is to break off, which the length gives away, and to tell the operator.
fn log_broken(id: JobId, chunk: &std::io::Result<bytes::Bytes>) {
    if let Err(error) = chunk {
        let error: &(dyn std::error::Error + 'static) = error;
        tracing::error!(error, job.id = %id, "The download of an artifact of job {id} broke off: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_with_any_character_can_be_downloaded() {
        assert_eq!(disposition("flights.csv"), "attachment; filename=\"flights.csv\"");
        assert_eq!(disposition("out/year 2026.csv"), "attachment; filename=\"year 2026.csv\"");
        assert_eq!(disposition("a\"b\\c.csv"), "attachment; filename=\"a_b_c.csv\"; filename*=UTF-8''a%22b%5Cc.csv");
        assert_eq!(
            disposition("Länder\r\n.csv"),
            "attachment; filename=\"L_nder__.csv\"; filename*=UTF-8''L%C3%A4nder%0D%0A.csv"
        );
    }

    #[test]
    fn a_tag_is_found_in_a_list_and_a_weak_one_counts() {
        let etag = "\"abc\"";
        assert!(has_tag("\"abc\"", etag) && has_tag("\"x\", W/\"abc\"", etag) && has_tag("*", etag));
        assert!(!has_tag("abc", etag) && !has_tag("\"abcd\"", etag) && !has_tag("", etag));
    }
}
