//! `PUT /tasks/{name}` and what follows it. What is in service is the database's word; the sandbox is played.

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use crate::harness::{Answer, TestApi};

async fn put(api: &TestApi, name: &str, content_type: &str, component: &str) -> Answer {
    let request = Request::put(format!("/api/v1/tasks/{name}")).header("content-type", content_type);
    api.call(request.body(Body::from(component.to_owned())).unwrap()).await
}

async fn upload(api: &TestApi, component: &str) -> Answer {
    put(api, "hello", "application/wasm", component).await
}

async fn delete(api: &TestApi, name: &str) -> Answer {
    let request = Request::builder().method(Method::DELETE).uri(format!("/api/v1/tasks/{name}"));
    api.call(request.body(Body::empty()).unwrap()).await
}

fn digest(component: &str) -> String {
    format!("{component:0<64}")
}

fn in_service(versions: &Value) -> &str {
    versions["in_service"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn a_component_that_is_sent_is_in_service_and_the_same_again_changes_nothing() {
    let api = TestApi::start().await;
    let first = upload(&api, "a").await;
    assert_eq!((first.status.as_u16(), first.json()["in_service"].as_bool()), (201, Some(true)), "{first:?}");
    assert_eq!(first.json()["digest"], digest("a"));
    assert_eq!(first.json()["task"]["in_service"], digest("a"));
    let before = api.get("tasks/hello/versions").await.json();
    assert_eq!(upload(&api, "a").await.status, 200);
    assert_eq!(api.get("tasks/hello/versions").await.json(), before);
    assert_eq!(before["changes"].as_array().unwrap().len(), 1);
    assert_eq!(before["versions"][0]["source"], "upload");
}

#[tokio::test]
async fn a_component_that_cannot_be_served_is_refused_and_nothing_is_kept() {
    let api = TestApi::start().await;
    let problem = upload(&api, "bad the file is not WebAssembly").await.problem(422, "invalid_component");
    assert_eq!(problem["detail"], "the file is not WebAssembly");
    api.get("tasks/hello/versions").await.problem(404, "task_not_found");
    let problem = upload(&api, "slow the disk of host 7 is full").await.problem(503, "overloaded");
    assert!(!problem.to_string().contains("host 7"), "{problem}");
    upload(&api, &"x".repeat(101)).await.problem(413, "body_too_large");
    put(&api, "hello", "application/octet-stream", "a").await.problem(415, "unsupported_media_type");
    let problem = put(&api, "Not%20A%20Task", "application/wasm", "a").await.problem(422, "invalid_request");
    assert_eq!(problem["errors"][0]["field"], "name");
}

#[tokio::test]
async fn a_rollback_goes_to_the_version_before_or_to_the_one_that_is_named() {
    let api = TestApi::start().await;
    for component in ["a", "b", "c"] {
        upload(&api, component).await;
    }
    let versions = api.post_raw("tasks/hello/rollback", "application/json", "").await.json();
    assert_eq!(in_service(&versions), digest("b"));
    assert_eq!(
        (&versions["changes"][0]["reason"], &versions["changes"][0]["from"]),
        (&json!("rollback"), &json!(digest("c")))
    );
    let versions = api.post("tasks/hello/rollback", &json!({ "digest": digest("a") })).await.json();
    assert_eq!(in_service(&versions), digest("a"));
    api.post("tasks/hello/rollback", &json!({ "digest": digest("a") })).await.problem(409, "version_in_service");
    api.post("tasks/hello/rollback", &json!({ "digest": "none" })).await.problem(404, "version_not_found");
    api.post("tasks/hello/rollback", &json!({ "to": "b" })).await.problem(422, "invalid_request");
    api.post("tasks/export-csv/rollback", &json!({})).await.problem(404, "task_not_found");
    // A web page of another origin can send this unasked.
    api.post_raw("tasks/hello/rollback", "text/plain", "").await.problem(415, "unsupported_media_type");
}

#[tokio::test]
async fn a_pin_holds_what_is_in_service_until_it_is_lifted() {
    let api = TestApi::start().await;
    api.post("tasks/hello/pin", &json!({})).await.problem(404, "task_not_found");
    upload(&api, "a").await;
    api.post("tasks/hello/rollback", &json!({})).await.problem(409, "no_version_before");
    assert_eq!(api.post("tasks/hello/pin", &json!({})).await.json()["pinned"], true);
    let held = upload(&api, "b").await.json();
    assert_eq!((&held["in_service"], &held["task"]["in_service"]), (&json!(false), &json!(digest("a"))));
    assert_eq!(held["task"]["pinned"], true);
    api.post("tasks/hello/rollback", &json!({ "digest": digest("b") })).await.problem(409, "task_pinned");
    assert_eq!(api.post("tasks/hello/unpin", &json!({})).await.json()["pinned"], false);
    let versions = api.post("tasks/hello/rollback", &json!({ "digest": digest("b") })).await.json();
    assert_eq!(in_service(&versions), digest("b"));
}

#[tokio::test]
async fn a_deleted_task_is_out_of_service_and_comes_back_with_an_upload() {
    let api = TestApi::start().await;
    delete(&api, "hello").await.problem(404, "task_not_found");
    upload(&api, "a").await;
    assert_eq!(delete(&api, "hello").await.status, 204);
    let versions = api.get("tasks/hello/versions").await.json();
    assert_eq!((&versions["in_service"], &versions["versions"]), (&Value::Null, &json!([])));
    api.post("tasks/hello/pin", &json!({})).await.problem(409, "task_not_loaded");
    delete(&api, "hello").await.problem(404, "task_not_found");
    assert_eq!(upload(&api, "a").await.json()["in_service"], true);
}
