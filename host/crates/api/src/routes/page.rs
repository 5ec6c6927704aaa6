//! The dashboard, and what is answered where nothing else is.
//!
//! The page finds out from its own address what to show, so it is served on every path that is no call, no probe and no file.

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::{HeaderName, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::fallback;
use crate::dashboard::{Dashboard, EMBEDDED, File, HASHED};

/// The page runs its own scripts and styles, talks to this daemon, and that is all: nothing from elsewhere, nothing inline, in
/// nobody's frame, no form that is sent anywhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types svelte-trusted-html";

/// A name with a hash never means other content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Asked for again each time, so that a new daemon is a new page.
const ASK_AGAIN: &str = "no-cache";

/// What stands where the dashboard was not built.
const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Windlass</title></head>\n\
    <body>\n<h1>Windlass runs</h1>\n\
    <p>This binary was built without the dashboard: run <code>cargo xtask dashboard</code>, and build it again.</p>\n\
    <p>The API is at <a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>.</p>\n</body>\n</html>\n";

/// Every path that no other route has.
pub(crate) async fn page(method: Method, uri: Uri) -> Response {
    answer(EMBEDDED, &method, &uri)
}

fn answer(dashboard: Dashboard, method: &Method, uri: &Uri) -> Response {
    let path = uri.path();
    let is_call = path == "/api" || path.starts_with("/api/");
    if is_call || !matches!(*method, Method::GET | Method::HEAD) {
        return fallback::not_found(uri).into_response();
    }
    match (dashboard.file(path), dashboard.page()) {
        (Some(file), _) if path.starts_with(HASHED) => send(file, FOR_EVER),
        // An older page that asks for a script of its own time must not be given a page in its place.
        (None, _) if path.starts_with(HASHED) => fallback::not_found(uri).into_response(),
        (Some(file), _) | (None, Some(file)) => send(file, ASK_AGAIN),
        (None, None) => (StatusCode::OK, headers("text/html; charset=utf-8", ASK_AGAIN), NOT_BUILT).into_response(),
    }
}

fn send(file: &'static File, keep: &'static str) -> Response {
    (headers(file.content_type, keep), file.bytes).into_response()
}

fn headers(content_type: &'static str, keep: &'static str) -> [(HeaderName, &'static str); 4] {
    [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, keep),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::tests::{NONE, SAMPLE};

    fn get(dashboard: Dashboard, path: &str) -> (u16, String, String) {
        let answer = answer(dashboard, &Method::GET, &path.parse().unwrap());
        let header =
            |name: HeaderName| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        (answer.status().as_u16(), header(CONTENT_TYPE), header(CACHE_CONTROL))
    }

    #[test]
    fn any_path_of_the_page_is_the_page_and_is_asked_for_again() {
        for path in ["/", "/jobs", "/jobs?state=running", "/tasks/export-csv", "/index.html", "/apiary"] {
            let expected = (200, "text/html; charset=utf-8".to_owned(), "no-cache".to_owned());
            assert_eq!(get(SAMPLE, path), expected, "{path}");
            assert_eq!(get(NONE, path), expected, "{path}");
        }
    }

    #[test]
    fn a_file_with_a_hash_is_kept_for_ever_and_one_that_is_not_there_is_not_the_page() {
        let (status, kind, keep) = get(SAMPLE, "/assets/index-Abc123.js");
        assert_eq!((status, kind.as_str()), (200, "text/javascript; charset=utf-8"));
        assert_eq!(keep, "public, max-age=31536000, immutable");
        for (dashboard, path) in [(SAMPLE, "/assets/index-Old.js"), (SAMPLE, "/assets/"), (NONE, "/assets/a.js")] {
            let (status, kind, _) = get(dashboard, path);
            assert_eq!((status, kind.as_str()), (404, "application/problem+json"), "{path}");
        }
    }

    #[test]
    fn what_looks_like_a_call_is_never_the_page() {
        for path in ["/api", "/api/", "/api/v1", "/api/v1/nothing", "/api/v2/jobs"] {
            let (status, kind, _) = get(SAMPLE, path);
            assert_eq!((status, kind.as_str()), (404, "application/problem+json"), "{path}");
        }
        let answer = answer(SAMPLE, &Method::POST, &"/jobs".parse().unwrap());
        assert_eq!(answer.status(), 404);
    }

    #[test]
    fn a_page_allows_nothing_from_elsewhere_and_nothing_inline() {
        let answer = answer(SAMPLE, &Method::GET, &"/".parse().unwrap());
        let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!["unsafe", "http", "*", "data:", "blob:"].iter().any(|word| policy.contains(word)), "{policy}");
        assert_eq!(answer.headers()[REFERRER_POLICY], "no-referrer");
    }

    #[test]
    fn a_binary_without_the_dashboard_says_what_to_run() {
        assert!(NOT_BUILT.contains("cargo xtask dashboard"));
        assert!(!NOT_BUILT.contains("<script") && !NOT_BUILT.contains("style"));
    }
}
