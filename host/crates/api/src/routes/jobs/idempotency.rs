//! The header `Idempotency-Key`: a request that may come twice, and is done once.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use windlass_model::{Idempotency, JsonText};

use crate::problem::ApiError;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The longest key, in characters.
const KEY_LENGTH_MAX: usize = 255;

/// What the engine needs to know of a request that may come twice: its key, and what makes two requests the same, namely their
/// path and their body.
pub(crate) fn idempotency(headers: &HeaderMap, path: &str, body: &[u8]) -> Result<Option<Idempotency>, ApiError> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let key = match (values.next(), values.next()) {
        (None, _) => return Ok(None),
        (Some(value), None) => check(value)?,
        (Some(_), Some(_)) => return Err(wrong("was sent more than once")),
    };
    // Lines of JSON are no JSON: they count as they are.
    let text = std::str::from_utf8(body).unwrap_or_default();
    let body = JsonText::parse(text).unwrap_or_else(|_| JsonText::trusted(text.to_owned()));
    Ok(Some(Idempotency { key, fingerprint: format!("{path} {}", windlass_engine::fingerprint(&body)) }))
}

/// Tells by a header that an answer is that of an earlier request.
pub(crate) fn replayed(is_repeated: bool) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if is_repeated {
        headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    headers
}

fn check(value: &HeaderValue) -> Result<String, ApiError> {
    let key = value.to_str().map_err(|_| wrong("has characters other than those that can be seen in ASCII"))?;
    match key.len() {
        1..=KEY_LENGTH_MAX => Ok(key.to_owned()),
        found => Err(wrong(&format!("has {found} characters; it takes 1 to {KEY_LENGTH_MAX}"))),
    }
}

fn wrong(fault: &str) -> ApiError {
    ApiError::wrong_parameter("Idempotency-Key", fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(key: &str, body: &str) -> Result<Option<Idempotency>, String> {
        let mut headers = HeaderMap::new();
        headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_bytes(key.as_bytes()).unwrap());
        idempotency(&headers, "/api/v1/jobs", body.as_bytes()).map_err(|error| error.detail().to_owned())
    }

    #[test]
    fn the_same_body_in_other_clothes_is_the_same_request() {
        assert_eq!(of("a", r#"{"task":"x","priority":1}"#), of("a", r#"{ "priority": 1, "task": "x" }"#));
        assert_ne!(of("a", r#"{"task":"x"}"#), of("a", r#"{"task":"y"}"#));
        assert_ne!(of("a", "{\"task\":\"x\"}\n{\"task\":\"x\"}"), of("a", "{\"task\":\"x\"}"));
    }

    #[test]
    fn a_key_that_cannot_be_kept_is_refused() {
        assert_eq!(of("", "{}").unwrap_err(), "`Idempotency-Key`: has 0 characters; it takes 1 to 255");
        assert!(of(&"k".repeat(255), "{}").is_ok());
        assert!(of(&"k".repeat(256), "{}").is_err());
        assert!(of("ä", "{}").is_err());
        let mut headers = HeaderMap::new();
        headers.append(IDEMPOTENCY_KEY, HeaderValue::from_static("a"));
        headers.append(IDEMPOTENCY_KEY, HeaderValue::from_static("b"));
        assert!(idempotency(&headers, "/", b"{}").is_err());
        assert_eq!(idempotency(&HeaderMap::new(), "/", b"{}").unwrap(), None);
    }
}
