//! `POST /jobs/batch`.

use serde_json::{Value, json};

use crate::harness::TestApi;

#[tokio::test]
async fn a_batch_is_answered_with_its_ids_in_order() {
    let api = TestApi::start().await;
    let batch: Vec<_> = (0..20).map(|n| json!({ "task": "hello", "tags": [format!("n{n}")] })).collect();
    let lines: String = batch.iter().map(|job| format!("{job}\n")).collect();
    for (content_type, body) in [("application/json", Value::from(batch).to_string()), ("application/x-ndjson", lines)]
    {
        let answer = api.post_raw("jobs/batch", content_type, body).await;
        assert_eq!(answer.status, 202);
        let ids = answer.json()["jobs"].as_array().unwrap().clone();
        assert_eq!(ids.len(), 20);
        for (n, id) in ids.iter().enumerate() {
            let job = api.get(format!("jobs/{}", id.as_str().unwrap())).await.json();
            assert_eq!(job["tags"], json!([format!("n{n}")]));
        }
    }
}

#[tokio::test]
async fn one_fault_in_a_batch_and_nothing_is_stored() {
    let api = TestApi::start().await;
    let good = json!({ "task": "hello" });
    let cases = [
        (json!({ "task": "hello", "max_attempts": 0 }), 422, "invalid_request", "1/max_attempts"),
        (json!({ "task": "helo" }), 404, "task_not_found", "1/task"),
        (json!({ "task": "export-csv", "args": { "columns": ["pric"] } }), 422, "args_invalid", "1/args/columns/0"),
        (json!({ "task": "hello", "unique": true }), 422, "invalid_request", "1/unique"),
        (json!(7), 422, "invalid_request", "1"),
    ];
    for (bad, status, code, field) in cases {
        let problem = api.post("jobs/batch", &json!([good, bad, good])).await.problem(status, code);
        assert_eq!((&problem["errors"][0]["field"], &problem["index"]), (&json!(field), &json!(1)), "{problem}");
        let lines = format!("{good}\n\n{bad}\n{good}\n");
        let problem = api.post_raw("jobs/batch", "application/x-ndjson", lines).await.problem(status, code);
        assert_eq!((&problem["errors"][0]["field"], &problem["index"]), (&json!(field), &json!(1)), "{problem}");
    }
    let problem = api.post("jobs/batch", &json!([good, { "task": "broken" }])).await.problem(409, "task_not_loaded");
    assert_eq!(problem["index"], 1);
    api.post_raw("jobs/batch", "application/x-ndjson", "{\"task\":\"hello\"}\n{\"task\"")
        .await
        .problem(400, "invalid_json");
    api.post_raw("jobs/batch", "text/csv", "hello").await.problem(415, "unsupported_media_type");
    assert_eq!(api.job_count().await, 0);
}

#[tokio::test]
async fn an_empty_batch_adds_nothing() {
    let api = TestApi::start().await;
    let answer = api.post("jobs/batch", &json!([])).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (202, json!({ "jobs": [], "deduplicated": [] })));
    assert_eq!(api.job_count().await, 0);
}

#[tokio::test]
async fn a_batch_of_ten_thousand_is_taken_and_one_more_is_refused() {
    let api = TestApi::start().await;
    let line = "{\"task\":\"hello\",\"delay_ms\":3600000}\n";
    let answer = api.post_raw("jobs/batch", "application/x-ndjson", line.repeat(10_000)).await;
    assert_eq!(answer.status, 202, "{}", answer.json()["detail"]);
    assert_eq!(answer.json()["jobs"].as_array().unwrap().len(), 10_000);
    let problem = api.post_raw("jobs/batch", "application/x-ndjson", line.repeat(10_001)).await;
    problem.problem(422, "too_many_jobs");
}

#[tokio::test]
async fn a_batch_above_32_mib_is_refused() {
    let api = TestApi::start().await;
    api.post_raw("jobs/batch", "application/json", " ".repeat((32 << 20) + 1)).await.problem(413, "body_too_large");
}
