//! `GET /jobs`.

use serde_json::{Value, json};

use crate::harness::TestApi;

fn ids(page: &Value) -> Vec<String> {
    let jobs = page["jobs"].as_array().unwrap_or_else(|| panic!("{page}"));
    jobs.iter().map(|job| job["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_list_is_paged_from_the_newest_to_the_oldest_without_gap_or_repeat() {
    let api = TestApi::start().await;
    let batch = vec![json!({ "task": "hello", "delay_ms": 3_600_000 }); 23];
    let mut expected: Vec<_> = api.post("jobs/batch", &json!(batch)).await.json()["jobs"].as_array().unwrap().clone();
    expected.reverse();
    let (mut found, mut query) = (Vec::new(), "limit=5".to_owned());
    loop {
        let page = api.get(format!("jobs?{query}")).await.json();
        found.extend(ids(&page));
        match page["next"].as_str() {
            Some(next) => query = format!("limit=5&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(json!(found), json!(expected));
}

#[tokio::test]
async fn a_filter_narrows_the_list() {
    let api = TestApi::start().await;
    let done = api.enqueue_as(json!({ "task": "hello", "tags": ["a", "b"] })).await;
    api.finished(&done).await;
    let failed = api.enqueue_as(json!({ "task": "export-pdf", "args": { "fatal": "no" }, "queue": "slow" })).await;
    let created = api.finished(&failed).await["created_at"].as_str().unwrap().to_owned();
    let later = api.enqueue_as(json!({ "task": "hello", "delay_ms": 3_600_000, "tags": ["b"] })).await;
    let cases = [
        ("state=completed".to_owned(), vec![&done]),
        ("state=completed,discarded".to_owned(), vec![&failed, &done]),
        ("state=scheduled&state=completed".to_owned(), vec![&later, &done]),
        ("task=export-pdf".to_owned(), vec![&failed]),
        ("queue=slow".to_owned(), vec![&failed]),
        ("tag=b".to_owned(), vec![&later, &done]),
        ("tag=b&state=completed".to_owned(), vec![&done]),
        ("tag=c".to_owned(), vec![]),
        (format!("created_from={created}"), vec![&later, &failed]),
        (format!("created_before={created}"), vec![&done]),
        ("created_from=-009998-01-01T00:00:00Z".to_owned(), vec![&later, &failed, &done]),
    ];
    for (query, expected) in cases {
        let page = api.get(format!("jobs?{query}")).await.json();
        assert_eq!(json!(ids(&page)), json!(expected), "{query}");
        assert!(page["jobs"].as_array().unwrap().iter().all(|job| job.get("artifacts").is_none()), "{page}");
    }
}

#[tokio::test]
async fn every_fault_of_a_filter_is_named() {
    let api = TestApi::start().await;
    let query = "state=done&task=A&limit=501&cursor=x&created_from=yesterday&sort=up";
    let problem = api.get(format!("jobs?{query}")).await.problem(400, "invalid_query");
    let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|error| error["field"].clone()).collect();
    assert_eq!(json!(fields), json!(["sort", "limit", "state", "task", "created_from", "cursor"]));
}

#[tokio::test]
async fn jobs_are_found_by_the_start_of_their_id() {
    let api = TestApi::start().await;
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(api.enqueue(json!({})).await);
    }
    all.sort_by(|one, other| other.cmp(one));
    for id in &all {
        let page = api.get(format!("jobs?id={id}")).await.json();
        assert_eq!((json!(ids(&page)), &page["next"]), (json!([id]), &json!(null)), "{id}");
    }
    // What they have in common, page by page.
    let (first, last) = (&all[0], &all[4]);
    let common: String = first.chars().zip(last.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect();
    let page = api.get(format!("jobs?limit=3&id={common}")).await.json();
    let cursor = page["next"].as_str().unwrap();
    let rest = api.get(format!("jobs?limit=3&id={common}&cursor={cursor}")).await.json();
    assert_eq!(json!([ids(&page), ids(&rest)].concat()), json!(all));
    assert_eq!(rest["next"], json!(null));
    assert_eq!(ids(&api.get("jobs?id=00000000").await.json()).len(), 0);
    assert_eq!(ids(&api.get("jobs?id=ffffffff").await.json()).len(), 0);
    api.get("jobs?id=hello").await.problem(400, "invalid_query");
}
