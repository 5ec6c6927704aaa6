//! JSON bodies, read strictly.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use crate::code::ErrorCode;
use crate::problem::{ApiError, FieldError};

/// A type that is read from a JSON body of a limited size.
pub(crate) trait JsonBody: DeserializeOwned {
    /// The largest body, in bytes.
    const LIMIT: usize;
    /// What it may say that it is.
    const CONTENT_TYPES: &'static [&'static str] = &["application/json"];
}

/// A JSON body.
pub(crate) struct Json<T>(pub(crate) T);

/// How much of a body that is too large is read and thrown away. A client that is still sending when the connection closes
/// often never sees the answer; so it gets the chance to end, but not for ever.
const DRAINED: usize = 64 << 20;

impl<S: Send + Sync, T: JsonBody> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> Result<Self, ApiError> {
        let (_, bytes) = read_body(request, T::CONTENT_TYPES, T::LIMIT).await?;
        parse_json(&bytes).map(Self)
    }
}

/// Reads a body of at most `limit` bytes, which must be of one of the content types; returns which.
pub(crate) async fn read_body(
    request: Request,
    content_types: &[&'static str],
    limit: usize,
) -> Result<(&'static str, Bytes), ApiError> {
    let content_type = content_type(request.headers(), content_types)?;
    Ok((content_type, read(request.into_body(), limit).await?))
}

/// Demands one of the content types. It must be said: a web page of another origin can send JSON to this server without
/// asking (CORS) only as long as it does not say that it is JSON.
fn content_type(headers: &HeaderMap, taken: &[&'static str]) -> Result<&'static str, ApiError> {
    let found = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = found.split(';').next().unwrap_or_default().trim();
    taken.iter().find(|name| name.eq_ignore_ascii_case(essence)).copied().ok_or_else(|| {
        let list = taken.join("` or `");
        ApiError::new(ErrorCode::UnsupportedMediaType, format!("Send the header `content-type: {list}`."))
    })
}

async fn read(body: Body, limit: usize) -> Result<Bytes, ApiError> {
    let mut chunks = body.into_data_stream();
    let (mut kept, mut total) = (Vec::new(), 0_usize);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| ApiError::new(ErrorCode::UnreadableBody, "The body ended too early."))?;
        total = total.saturating_add(chunk.len());
        if total <= limit {
            kept.extend_from_slice(&chunk);
        } else if total > DRAINED {
            break;
        } else {
            kept = Vec::new();
        }
    }
    if total <= limit {
        return Ok(kept.into());
    }
    Err(ApiError::new(
        ErrorCode::BodyTooLarge,
        format!("The body has more than {limit} bytes, which is the limit here."),
    ))
}

/// Reads JSON: 400 if it is not JSON, 422 with the field if it is not what was expected.
pub(crate) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let field = field_path(error.path());
        fault(&field, &error.into_inner())
    })?;
    deserializer.end().map_err(|error| fault("", &error))?;
    Ok(value)
}

fn fault(field: &str, error: &serde_json::Error) -> ApiError {
    // serde_json ends its texts with where it stopped, which helps with a slip of the syntax and is noise for a field.
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = error.to_string();
    let message = message.strip_suffix(&place).unwrap_or(&message);
    match error.classify() {
        serde_json::error::Category::Data => {
            ApiError::fields(ErrorCode::InvalidRequest, vec![FieldError::new(field, message)])
        }
        _ => ApiError::new(ErrorCode::InvalidJson, format!("The body is not JSON: {message}{place}.")),
    }
}

/// A path as in a JSON pointer (RFC 6901), without the first slash.
fn field_path(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let escape = |key: &str| key.replace('~', "~0").replace('/', "~1");
    let parts = path.iter().filter_map(|segment| match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(escape(key)),
        Segment::Enum { variant } => Some(escape(variant)),
        Segment::Unknown => None,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[expect(dead_code, reason = "only read")]
        count: u8,
        #[expect(dead_code, reason = "only read")]
        tags: Vec<String>,
    }

    impl JsonBody for Sample {
        const LIMIT: usize = 64;
    }

    async fn send(content_type: &str, body: impl Into<Body>) -> Result<Sample, String> {
        let request = Request::post("/").header(CONTENT_TYPE, content_type).body(body.into()).unwrap();
        match Json::<Sample>::from_request(request, &()).await {
            Ok(Json(sample)) => Ok(sample),
            Err(error) => Err(format!("{} {}", error.code().as_str(), error.detail())),
        }
    }

    #[tokio::test]
    async fn a_body_that_is_not_json_says_where_it_breaks() {
        let found = send("application/json", "{\"count\": 1,}").await.unwrap_err();
        assert_eq!(found, "invalid_json The body is not JSON: trailing comma at line 1 column 13.");
        assert!(send("application/json", "").await.unwrap_err().starts_with("invalid_json "));
        let found = send("application/json", "{\"count\":1,\"tags\":[]} x").await.unwrap_err();
        assert!(found.starts_with("invalid_json "), "{found}");
    }

    #[tokio::test]
    async fn a_wrong_field_is_named() {
        let found = send("application/json", "{\"count\": 1, \"tags\": [\"a\", 7]}").await.unwrap_err();
        assert_eq!(found, "invalid_request `tags/1`: invalid type: integer `7`, expected a string");
        let found = send("application/json", "{\"count\": 256, \"tags\": []}").await.unwrap_err();
        assert_eq!(found, "invalid_request `count`: invalid value: integer `256`, expected u8");
        let found = send("application/json", "{\"count\": 1}").await.unwrap_err();
        assert_eq!(found, "invalid_request missing field `tags`");
    }

    #[tokio::test]
    async fn an_unknown_field_is_named_with_the_ones_that_are_known() {
        let found = send("application/json", "{\"cuont\": 1}").await.unwrap_err();
        assert_eq!(found, "invalid_request `cuont`: unknown field `cuont`, expected `count` or `tags`");
    }

    #[tokio::test]
    async fn a_body_must_say_that_it_is_json() {
        let body = "{\"count\": 1, \"tags\": []}";
        assert!(send("application/json; charset=utf-8", body).await.is_ok());
        assert!(send("Application/JSON", body).await.is_ok());
        let found = send("text/plain", body).await.unwrap_err();
        assert_eq!(found, "unsupported_media_type Send the header `content-type: application/json`.");
        assert!(send("", body).await.is_err());
    }

    #[tokio::test]
    async fn a_body_above_its_limit_is_refused() {
        let found = send("application/json", " ".repeat(65)).await.unwrap_err();
        assert_eq!(found, "body_too_large The body has more than 64 bytes, which is the limit here.");
        let fits = format!("{:64}", "{\"count\": 1, \"tags\": []}");
        assert!(send("application/json", fits).await.is_ok());
    }
}
