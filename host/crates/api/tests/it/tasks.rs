//! `GET /tasks`.

use serde_json::json;

use crate::harness::TestApi;

#[tokio::test]
async fn tasks_are_listed_with_what_they_say_of_themselves_and_why_they_did_not_load() {
    let api = TestApi::start().await;
    insta::assert_json_snapshot!("tasks", api.get("tasks").await.json());
}

#[tokio::test]
async fn a_task_is_read_by_its_name() {
    let api = TestApi::start().await;
    let task = api.get("tasks/hello").await.json();
    assert_eq!((&task["name"], &task["version"]["title"]), (&json!("hello"), &json!("Hello")));
}

#[tokio::test]
async fn a_task_that_is_not_there_is_answered_with_the_nearest_names() {
    let api = TestApi::start().await;
    for name in ["helo", "Hello", "hello.wasm", "hello%2f"] {
        let problem = api.get(format!("tasks/{name}")).await.problem(404, "task_not_found");
        assert_eq!(problem["nearest"], json!(["hello"]), "{name}");
    }
    let problem = api.get("tasks/%2e%2e%2fetc%2fpasswd").await.problem(404, "task_not_found");
    assert_eq!(problem.get("nearest"), None);
}
