//! `POST /jobs`.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::harness::TestApi;

#[tokio::test]
async fn a_job_is_answered_with_its_place_and_ends_as_the_contract_says() {
    let api = TestApi::start().await;
    let answer = api
        .post("jobs", &json!({
            "task": "hello", "args": {"artifacts": ["out/flights.csv"], "steps": 2}, "priority": -5, "tags": ["nightly"],
            "metadata": {"user": 7}, "max_attempts": 3, "timeout_ms": 60_000
        }))
        .await;
    assert_eq!(answer.status, 202);
    let job = answer.json();
    let id = job["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), format!("/api/v1/jobs/{id}"));
    assert_eq!((&job["state"], &job["artifacts"]), (&json!("available"), &json!([])));
    let done = api.finished(id).await;
    let url = format!("/api/v1/jobs/{id}/artifacts/out/flights.csv");
    insta::assert_json_snapshot!("completed_job", done, {
        ".id" => hidden(id, "[id]"),
        ".artifacts[0].url" => hidden(&url, "[url]"),
        ".created_at" => time(), ".run_at" => time(), ".started_at" => time(), ".finished_at" => time(),
        ".duration_ms" => insta::dynamic_redaction(|value, _| {
            assert!(value.as_u64().is_some(), "{value:?}");
            "[number]"
        }),
    });
    assert_eq!(api.get(done["artifacts"][0]["url"].as_str().unwrap()).await.status, 200);
}

fn hidden(expected: &str, label: &'static str) -> insta::internals::Redaction {
    let expected = expected.to_owned();
    insta::dynamic_redaction(move |value, _| {
        assert_eq!(value.as_str(), Some(expected.as_str()));
        label
    })
}

fn time() -> insta::internals::Redaction {
    insta::dynamic_redaction(|value, _| {
        assert!(value.as_str().unwrap().parse::<windlass_model::Timestamp>().is_ok(), "{value:?}");
        "[time]"
    })
}

#[tokio::test]
async fn arguments_and_output_pass_through_byte_for_byte() {
    let api = TestApi::start().await;
    let args = r#"{"z": 1.10,  "a": 12345678901234567890123, "ü": "\u00fc"}"#;
    let body = format!(r#"{{"task": "hello", "args": {args}}}"#);
    let answer = api.post_raw("jobs", "application/json", body).await;
    assert!(std::str::from_utf8(&answer.body).unwrap().contains(args));
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let text = api.get(format!("jobs/{id}?wait=20s")).await.body;
    let text = std::str::from_utf8(&text).unwrap();
    assert!(text.contains(args) && text.contains(r#""output":{"z": 1.10, "a": 1}"#), "{text}");
}

#[tokio::test]
async fn an_unknown_task_is_answered_with_the_nearest_names() {
    let api = TestApi::start().await;
    let problem = api.post("jobs", &json!({ "task": "export-cvs" })).await.problem(404, "task_not_found");
    assert_eq!(problem["nearest"][0], "export-csv");
    assert_eq!(problem["detail"], "There is no task `export-cvs`; did you mean `export-csv`?");
    assert_eq!(problem["errors"], json!([{ "field": "task", "message": "no such task" }]));
    assert_eq!(problem.get("index"), None);
}

#[tokio::test]
async fn a_task_that_did_not_load_says_why() {
    let api = TestApi::start().await;
    let problem = api.post("jobs", &json!({ "task": "broken" })).await.problem(409, "task_not_loaded");
    assert_eq!(problem["detail"], "The task `broken` is not in service: it is not a component");
}

#[tokio::test]
async fn arguments_that_break_the_schema_name_the_field() {
    let api = TestApi::start().await;
    let body = json!({ "task": "export-csv", "args": { "columns": ["pric"] } });
    let problem = api.post("jobs", &body).await.problem(422, "args_invalid");
    assert_eq!(
        problem["errors"],
        json!([
            { "field": "args/columns/0", "message": "\"pric\" is not one of the columns" },
            { "field": "args", "message": "\"source\" is required" },
        ])
    );
}

#[tokio::test]
async fn the_defaults_of_the_task_hold_for_what_a_job_leaves_out() {
    let api = TestApi::start().await;
    let id = api.enqueue_as(json!({ "task": "export-csv" })).await;
    let job = api.get(format!("jobs/{id}")).await.json();
    assert_eq!((&job["queue"], &job["max_attempts"], &job["args"]), (&json!("exports"), &json!(2), &json!({})));
}

#[tokio::test]
async fn a_job_with_a_delay_or_a_time_is_scheduled() {
    let api = TestApi::start().await;
    for body in [
        json!({ "task": "hello", "delay_ms": 3_600_000 }),
        json!({ "task": "hello", "run_at": "2030-01-01T00:00:00+02:00" }),
    ] {
        let id = api.enqueue_as(body.clone()).await;
        let job = api.get(format!("jobs/{id}")).await.json();
        assert_eq!(job["state"], "scheduled", "{body}");
        if body.get("run_at").is_some() {
            assert_eq!(job["run_at"], "2029-12-31T22:00:00.000000Z");
        }
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_a_request_nothing_is_stored() {
    let api = TestApi::start().await;
    let too_large = format!(r#"{{"task": "hello", "args": {{"a": "{}"}}}}"#, "x".repeat(2 << 20));
    let deep = format!(r#"{{"task": {}}}"#, "[".repeat(100_000));
    let cases: [(&str, &str, &str, u16, &str); 11] = [
        ("application/json", "", "", 400, "invalid_json"),
        ("application/json", "{\"task\": \"hello\"", "", 400, "invalid_json"),
        ("application/json", &deep, "", 422, "invalid_request"),
        ("text/plain", "{\"task\": \"hello\"}", "", 415, "unsupported_media_type"),
        ("application/x-www-form-urlencoded", "task=hello", "", 415, "unsupported_media_type"),
        ("application/json", &too_large, "", 413, "body_too_large"),
        ("application/json", "{\"task\": \"hello\", \"quue\": \"a\"}", "quue", 422, "invalid_request"),
        ("application/json", "{\"task\": \"hello\", \"args\": [1]}", "args", 422, "invalid_request"),
        ("application/json", "{\"task\": \"../hello.wasm\"}", "task", 422, "invalid_request"),
        ("application/json", "{\"task\": \"hello\", \"queue\": \"a/b\"}", "queue", 422, "invalid_request"),
        ("application/json", "[]", "", 422, "invalid_request"),
    ];
    for (content_type, body, field, status, code) in cases {
        let problem = api.post_raw("jobs", content_type, body.to_owned()).await.problem(status, code);
        if !field.is_empty() {
            assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        }
    }
    assert_eq!(api.job_count().await, 0);
}

#[tokio::test]
async fn a_request_with_an_idempotency_key_is_done_once_and_answered_twice() {
    let api = TestApi::start().await;
    let send = |path: &str, body: &str| {
        Request::post(path)
            .header("content-type", "application/json")
            .header("Idempotency-Key", format!("key of {path}"))
            .body(Body::from(body.to_owned()))
            .unwrap()
    };
    for (path, body) in [
        ("/api/v1/jobs", "{\"task\": \"hello\"}"),
        ("/api/v1/jobs/batch", "[{\"task\": \"hello\"}, {\"task\": \"hello\"}]"),
    ] {
        let first = api.call(send(path, body)).await;
        let second = api.call(send(path, &body.replace(' ', "\n"))).await;
        assert_eq!((first.status.as_u16(), second.status.as_u16()), (202, 202));
        assert_eq!(first.json(), second.json());
        assert_eq!(first.header("idempotency-replayed"), "");
        assert_eq!(second.header("idempotency-replayed"), "true");
        let other = body.replace("\"hello\"", "\"hello\", \"priority\": 1");
        api.call(send(path, &other)).await.problem(422, "idempotency_key_reused");
    }
    assert_eq!(api.job_count().await, 3);
}

#[tokio::test]
async fn a_job_whose_unique_key_is_held_is_answered_with_the_holder_or_refused() {
    let api = TestApi::start().await;
    let body = |mode: &str| json!({ "task": "hello", "delay_ms": 60_000, "unique": { "key": "a", "mode": mode } });
    let first = api.post("jobs", &body("keep")).await.json();
    assert_eq!(first["deduplicated"], false);
    let second = api.post("jobs", &body("keep")).await.json();
    assert_eq!((&second["deduplicated"], &second["id"]), (&json!(true), &first["id"]));
    let problem = api.post("jobs", &body("reject")).await.problem(409, "duplicate_job");
    assert_eq!(problem["job_id"], first["id"]);
    let batch = api.post("jobs/batch", &json!([body("keep"), { "task": "hello" }])).await.json();
    assert_eq!(batch["deduplicated"], json!([first["id"]]));
    assert_eq!(api.job_count().await, 2);
}

#[tokio::test]
async fn a_job_that_comes_after_one_that_is_not_there_is_refused_by_name() {
    let api = TestApi::start().await;
    let body = json!({ "task": "hello", "after": ["01a1fe4f-6630-7022-ba88-ea32e47a7714"] });
    let problem = api.post("jobs", &body).await.problem(422, "invalid_request");
    assert_eq!(problem["errors"][0]["field"], "after", "{problem}");
    let problem = api.post("jobs/batch", &json!([{ "task": "hello" }, body])).await.problem(422, "invalid_request");
    assert_eq!((&problem["errors"][0]["field"], &problem["index"]), (&json!("1/after"), &json!(1)), "{problem}");
    assert_eq!(api.job_count().await, 0);
}

#[tokio::test]
async fn the_form_of_an_error_is_what_clients_were_promised() {
    let api = TestApi::start().await;
    let body = json!({ "task": "hello", "run_at": "2026-11-20T14:30:00Z", "delay_ms": 1, "tags": [""] });
    let problem: Value = api.post("jobs", &body).await.problem(422, "invalid_request");
    insta::assert_json_snapshot!("problem", problem);
}

#[tokio::test]
async fn a_daemon_that_has_stopped_takes_no_jobs_and_says_when_to_come_back() {
    let api = TestApi::start().await;
    let TestApi { engine, .. } = &api;
    let handle = engine.handle();
    let router = windlass_api::router(handle, windlass_api::ApiSettings::default());
    api.engine.shutdown().await;
    let request = Request::post("/api/v1/jobs")
        .header("content-type", "application/json")
        .body(Body::from("{\"task\": \"hello\"}"))
        .unwrap();
    let response = tower::ServiceExt::oneshot(router, request).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "1");
}

#[tokio::test]
async fn a_client_that_sends_too_much_still_sees_the_answer() {
    let api = TestApi::start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(listener, api.router.clone()).into_future());
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let length = 20 << 20;
    let head = format!(
        "POST /api/v1/jobs HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    // All of it before the answer is read, as simple clients do: a server that hangs up in between resets the connection.
    socket.write_all(&vec![b' '; length]).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("body_too_large"), "{answer}");
    server.abort();
}
