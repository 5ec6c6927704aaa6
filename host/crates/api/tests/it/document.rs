//! The OpenAPI document, and what is not in it.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use crate::harness::TestApi;

#[test]
fn the_document_is_what_clients_were_promised() {
    insta::assert_json_snapshot!("openapi", windlass_api::openapi(), { ".info.version" => "[version]" });
}

#[tokio::test]
async fn the_document_is_served_and_is_openapi_3_1() {
    let api = TestApi::start().await;
    let answer = api.get("openapi.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.json(), serde_json::to_value(windlass_api::openapi()).unwrap());
    assert!(answer.json()["openapi"].as_str().unwrap().starts_with("3.1."));
}

#[test]
fn everything_in_the_document_has_a_description_and_every_reference_leads_somewhere() {
    let document = serde_json::to_value(windlass_api::openapi()).unwrap();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(!path.contains('*'), "{path}");
        for (method, operation) in item.as_object().unwrap() {
            let place = format!("{method} {path}");
            assert!(names.insert(operation["operationId"].as_str().unwrap().to_owned()), "{place}");
            assert!(operation["summary"].is_string(), "{place}");
            for parameter in operation["parameters"].as_array().unwrap_or(&Vec::new()) {
                assert!(parameter["description"].is_string(), "{place}: {parameter}");
            }
            // A path without its parameters cannot be called.
            for name in path.split('{').skip(1).map(|part| part.split('}').next().unwrap()) {
                let parameters = operation["parameters"].as_array().unwrap();
                assert!(parameters.iter().any(|one| one["name"] == name && one["in"] == "path"), "{place}: {name}");
            }
        }
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(schema["description"].is_string(), "{name}");
        for (property, schema) in schema["properties"].as_object().unwrap_or(&serde_json::Map::new()) {
            let is_described = |schema: &Value| schema["description"].is_string() || schema["$ref"].is_string();
            let one_of = schema["oneOf"].as_array().is_some_and(|list| list.iter().any(is_described));
            assert!(is_described(schema) || one_of, "{name}.{property}: {schema}");
        }
    }
    check_references(&document, &document);
    let codes = document["components"]["schemas"]["ErrorCode"]["enum"].as_array().unwrap();
    assert!(codes.contains(&json!("job_not_found")), "{codes:?}");
}

fn check_references(document: &Value, value: &Value) {
    match value {
        Value::Object(map) => {
            if let Some(reference) = map.get("$ref") {
                let pointer = reference.as_str().unwrap().strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference}");
            }
            map.values().for_each(|value| check_references(document, value));
        }
        Value::Array(list) => list.iter().for_each(|value| check_references(document, value)),
        _ => (),
    }
}

#[tokio::test]
async fn a_call_that_is_not_there_is_a_problem_and_never_a_page() {
    let api = TestApi::start().await;
    for path in ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/jobs", "/api/v1/jobs/", "/api/v1/joobs"] {
        api.get(path).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn a_wrong_method_names_the_right_ones() {
    let api = TestApi::start().await;
    for (method, path, allowed) in [
        (Method::DELETE, "/api/v1/jobs", "GET,HEAD,POST"),
        (Method::PATCH, "/api/v1/tasks/hello", "DELETE,GET,HEAD,PUT"),
        (Method::GET, "/api/v1/jobs/7/cancel", "POST"),
        (Method::POST, "/healthz", "GET,HEAD"),
        (Method::POST, "/api/v1/openapi.json", "GET,HEAD"),
    ] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let answer = api.call(request).await;
        answer.problem(405, "method_not_allowed");
        let mut found: Vec<_> = answer.header("allow").split(',').map(str::trim).collect();
        found.sort_unstable();
        assert_eq!(found.join(","), allowed, "{path}");
    }
}

#[tokio::test]
async fn every_path_that_is_no_call_is_the_dashboard() {
    let api = TestApi::start().await;
    for path in ["/", "/jobs/0197c2a4-5b1e-7c3d-9f00-3a5d8e6b7c21", "/nothing"] {
        let answer = api.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, "text/html; charset=utf-8"),
            "{path}"
        );
        assert_eq!(answer.header("cache-control"), "no-cache", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
    }
    api.get("/api/v1/nothing").await.problem(404, "not_found");
    api.get("/assets/nothing.js").await.problem(404, "not_found");
    api.post("/jobs", &json!({})).await.problem(404, "not_found");
}

#[tokio::test]
async fn no_answer_is_guessed_at_or_kept() {
    let api = TestApi::start().await;
    for path in ["/healthz", "/api/v1/jobs", "/api/v1/nothing", "/api/v1/openapi.json"] {
        let answer = api.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
}
