//! Downloads.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::harness::{Answer, TestApi};
use crate::runner::CONTENT;

const NAMES: [&str; 6] = ["a b/ü.csv", "data.csv", "empty.txt", "gone.csv", "page.html", "unreachable.csv"];

async fn with_artifacts() -> (TestApi, String) {
    let api = TestApi::start().await;
    let id = api.enqueue(json!({ "artifacts": NAMES })).await;
    api.finished(&id).await;
    (api, id)
}

impl TestApi {
    async fn download(&self, id: &str, name: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(format!("/api/v1/jobs/{id}/artifacts/{name}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.call(request.body(Body::empty()).unwrap()).await
    }
}

#[tokio::test]
async fn a_file_is_downloaded_whole_with_all_that_a_client_wants_to_know() {
    let (api, id) = with_artifacts().await;
    let answer = api.download(&id, "data.csv", &[]).await;
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, CONTENT));
    assert_eq!(answer.header("content-length"), CONTENT.len().to_string());
    assert_eq!(answer.header("content-type"), "text/csv");
    assert_eq!(answer.header("content-disposition"), "attachment; filename=\"data.csv\"");
    assert_eq!(answer.header("etag"), format!("\"{}\"", "5e55".repeat(16)));
    assert_eq!(answer.header("accept-ranges"), "bytes");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("cache-control"), "private, no-cache");
    assert_eq!(answer.header("content-security-policy"), "sandbox; default-src 'none'");
}

#[tokio::test]
async fn every_listed_file_has_an_address_that_works() {
    let (api, id) = with_artifacts().await;
    let list = api.get(format!("jobs/{id}/artifacts")).await.json();
    let job = api.get(format!("jobs/{id}")).await.json();
    assert_eq!(list["artifacts"], job["artifacts"]);
    let names: Vec<_> = list["artifacts"].as_array().unwrap().iter().map(|file| file["name"].clone()).collect();
    assert_eq!(json!(names), json!(NAMES));
    for file in list["artifacts"].as_array().unwrap() {
        if !matches!(file["name"].as_str().unwrap(), "gone.csv" | "unreachable.csv") {
            let answer = api.get(file["url"].as_str().unwrap()).await;
            assert_eq!((answer.status.as_u16(), json!(answer.body.len())), (200, file["bytes"].clone()), "{file}");
        }
    }
}

#[tokio::test]
async fn a_part_of_a_file_is_served_from_either_end() {
    let (api, id) = with_artifacts().await;
    for (range, part, content_range) in [
        ("bytes=0-0", &b"0"[..], "bytes 0-0/36"),
        ("bytes=5-14", b"56789abcde", "bytes 5-14/36"),
        ("bytes=33-", b"xyz", "bytes 33-35/36"),
        ("bytes=-2", b"yz", "bytes 34-35/36"),
        ("bytes=30-99", b"uvwxyz", "bytes 30-35/36"),
    ] {
        let answer = api.download(&id, "data.csv", &[("range", range)]).await;
        assert_eq!((answer.status.as_u16(), &answer.body[..]), (206, part), "{range}");
        assert_eq!(answer.header("content-range"), content_range);
        assert_eq!(answer.header("content-length"), part.len().to_string());
        assert_eq!(answer.header("accept-ranges"), "bytes");
    }
    for ignored in ["bytes=0-1,4-5", "lines=0-1", "bytes=9-3"] {
        let answer = api.download(&id, "data.csv", &[("range", ignored)]).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 36), "{ignored}");
    }
}

#[tokio::test]
async fn a_range_outside_the_file_says_how_large_the_file_is() {
    let (api, id) = with_artifacts().await;
    for (name, range, size) in
        [("data.csv", "bytes=36-", 36), ("data.csv", "bytes=-0", 36), ("empty.txt", "bytes=0-", 0)]
    {
        let answer = api.download(&id, name, &[("range", range)]).await;
        answer.problem(416, "range_not_satisfiable");
        assert_eq!(answer.header("content-range"), format!("bytes */{size}"));
    }
    let answer = api.download(&id, "empty.txt", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-length")), (200, "0"));
}

#[tokio::test]
async fn a_file_that_the_client_has_is_not_sent_again() {
    let (api, id) = with_artifacts().await;
    let etag = api.download(&id, "data.csv", &[]).await.header("etag").to_owned();
    let answer = api.download(&id, "data.csv", &[("if-none-match", &etag)]).await;
    assert_eq!((answer.status.as_u16(), answer.body.len(), answer.header("etag")), (304, 0, etag.as_str()));
    let answer = api.download(&id, "data.csv", &[("if-none-match", "\"other\"")]).await;
    assert_eq!(answer.status, 200);
    let resumed = [("range", "bytes=30-"), ("if-range", etag.as_str())];
    assert_eq!(api.download(&id, "data.csv", &resumed).await.status, 206);
    let changed = [("range", "bytes=30-"), ("if-range", "\"other\"")];
    assert_eq!(api.download(&id, "data.csv", &changed).await.status, 200);
}

#[tokio::test]
async fn head_tells_of_a_file_without_reading_it() {
    let (api, id) = with_artifacts().await;
    let head = |name: &str| Request::head(format!("/api/v1/jobs/{id}/artifacts/{name}")).header("range", "bytes=0-3");
    let answer = api.call(head("data.csv").body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.body.len(), answer.header("content-length")), (200, 0, "36"));
    // Not read: else the store's failure would show.
    assert_eq!(api.call(head("unreachable.csv").body(Body::empty()).unwrap()).await.status, 200);
}

#[tokio::test]
async fn a_file_that_is_not_there_is_told_from_one_that_is_gone() {
    let (api, id) = with_artifacts().await;
    for name in ["nothing.csv", "..%2fdata.csv", "a%20b", "DATA.csv"] {
        api.download(&id, name, &[]).await.problem(404, "artifact_not_found");
    }
    api.download(&id, "gone.csv", &[]).await.problem(410, "artifact_gone");
    let problem = api.download(&id, "unreachable.csv", &[]).await.problem(503, "artifact_store_unavailable");
    assert!(!problem.to_string().contains("bucket"), "{problem}");
    let waiting = api.enqueue_as(json!({ "task": "hello", "delay_ms": 3_600_000 })).await;
    let problem = api.download(&waiting, "data.csv", &[]).await.problem(404, "artifact_not_found");
    assert!(problem["detail"].as_str().unwrap().contains("which is scheduled"), "{problem}");
}
