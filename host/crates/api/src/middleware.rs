//! What happens to every request and every answer.

use std::time::Instant;

use axum::extract::Request;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;
use tracing::{Level, debug, enabled};

/// Does both of the following. One step and not two: each step is a boxed future for each request.
pub(crate) async fn every_request(request: Request, next: Next) -> Response {
    let mut response = match enabled!(Level::DEBUG) {
        true => log(request, next).await,
        false => next.run(request).await,
    };
    secure(response.headers_mut());
    response
}

/// Logs each request at debug level, without its query: a tag or a cursor may be nobody's business.
async fn log(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let started = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let duration_ms = started.elapsed().as_secs_f64() * 1_000.0;
    debug!(
        http.method = %method,
        http.path = %path,
        http.status = status,
        duration_ms,
        "{method} {path} was answered with {status} in {duration_ms:.1} ms"
    );
    response
}

/// Nobody guesses at a content type, and nobody keeps an answer that is true only now. An answer that says otherwise about
/// its own keeping stays as it is.
fn secure(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
