//! `GET /jobs/{id}/events`.

use std::time::Duration;

use serde_json::{Value, json};
use windlass_api::ApiSettings;
use windlass_store::JobInbox as _;

use crate::harness::{SentEvent, TestApi};

fn quick() -> ApiSettings {
    ApiSettings {
        poll_every: Duration::from_millis(50),
        stream_pace: Duration::from_millis(5),
        keep_alive: Duration::from_millis(50),
        ..ApiSettings::default()
    }
}

fn history(events: &[SentEvent]) -> Vec<(u64, Value)> {
    events
        .iter()
        .filter_map(|event| match event.name.as_str() {
            "state" => Some((event.id.unwrap(), event.data["state"].clone())),
            "step" => Some((event.id.unwrap(), event.data["task_step"].clone())),
            _ => None,
        })
        .collect()
}

#[tokio::test]
async fn a_stream_tells_the_whole_life_of_a_job_and_ends_with_the_job() {
    let api = TestApi::start().await;
    let id = api.enqueue(json!({ "steps": 2, "artifacts": ["a.csv"] })).await;
    let events = api.follow(&id, "").await.rest().await;
    let expected = json!(["available", "running", 1, 2, "completed"]);
    let history = history(&events);
    assert_eq!(json!(history.iter().map(|(_, what)| what).collect::<Vec<_>>()), expected);
    assert!(history.is_sorted_by(|(one, _), (next, _)| one < next), "{history:?}");
    let end = events.last().unwrap();
    assert_eq!((end.name.as_str(), end.id), ("end", None));
    assert_eq!(end.data, api.get(format!("jobs/{id}")).await.json());
    assert_eq!(events.iter().filter(|event| event.name == "end").count(), 1);
}

#[tokio::test]
async fn the_events_have_the_form_that_clients_were_promised() {
    let api = TestApi::start().await;
    let id = api.enqueue(json!({ "steps": 1 })).await;
    api.finished(&id).await;
    let events = api.follow(&id, "").await.rest().await;
    let shown: Vec<_> = events[..events.len() - 1]
        .iter()
        .map(|event| json!({ "event": event.name, "id": event.id, "data": event.data }))
        .collect();
    insta::assert_json_snapshot!("events", shown, { "[].data.at" => "[time]" });
}

#[tokio::test]
async fn a_stream_goes_on_where_it_was_cut_wherever_that_was() {
    let api = TestApi::start().await;
    let id = api.enqueue(json!({ "steps": 5 })).await;
    api.finished(&id).await;
    let whole = history(&api.follow(&id, "").await.rest().await);
    assert_eq!(whole.len(), 8);
    for cut in 0..=whole.len() {
        let after = whole[..cut].last().map_or(0, |(id, _)| *id).to_string();
        let by_header = api.follow_after(&id, "", Some(&after)).await.rest().await;
        let by_query = api.follow(&id, &format!("?after={after}")).await.rest().await;
        assert_eq!(history(&by_header), whole[cut..]);
        assert_eq!(history(&by_query), whole[cut..]);
        assert_eq!(by_header.last().unwrap().name, "end");
    }
    // A browser that connects again sends the header with the address it began with: the header is the newer of the two.
    let sixth = whole[5].0.to_string();
    let both = api.follow_after(&id, "?after=1", Some(&sixth)).await.rest().await;
    assert_eq!(history(&both), whole[6..]);
}

#[tokio::test]
async fn no_step_is_lost_however_many_there_are_and_however_slow_the_client() {
    let api = TestApi::start_with(quick()).await;
    let id = api.enqueue(json!({ "steps": 1_700, "wait": true })).await;
    let mut stream = api.follow(&id, "").await;
    let (mut steps, mut last) = (Vec::new(), 0);
    while steps.len() < 1_700 {
        let event = stream.next().await.unwrap();
        if let Some(id) = event.id {
            assert!(id > last);
            last = id;
        }
        if event.name == "step" {
            steps.push(event.data["task_step"].as_u64().unwrap());
        }
        if steps.len() == 3 {
            tokio::task::yield_now().await;
        }
    }
    assert!(steps.iter().copied().eq(1..=1_700));
    api.runner.open_gate();
    assert_eq!(stream.rest().await.last().unwrap().name, "end");
}

#[tokio::test]
async fn progress_between_steps_is_told_live_and_without_an_id() {
    let api = TestApi::start_with(quick()).await;
    let id = api.enqueue(json!({ "steps": 1, "percents": [10, 20], "wait": true })).await;
    let mut stream = api.follow(&id, "").await;
    let step = loop {
        let event = stream.next().await.unwrap();
        if event.name == "step" {
            break event.id.unwrap().to_string();
        }
    };
    for percent in [10, 20] {
        api.runner.open_gate();
        let event = stream.next().await.unwrap();
        assert_eq!((event.name.as_str(), event.id), ("progress", None));
        assert_eq!((&event.data["percent_complete"], &event.data["task_step"]), (&json!(percent), &json!(1)));
        assert_eq!((&event.data["status_info"], &event.data["attempt"]), (&json!("step 1"), &json!(1)));
    }
    // Who comes late sees at once how far it is.
    let late = api.follow_after(&id, "", Some(&step)).await.next().await.unwrap();
    assert_eq!((late.name.as_str(), &late.data["percent_complete"]), ("progress", &json!(20)));
    api.runner.open_gate();
    let names: Vec<_> = stream.rest().await.into_iter().map(|event| event.name).collect();
    assert_eq!(names, ["state", "end"]);
}

#[tokio::test]
async fn the_log_comes_only_if_it_is_asked_for_and_then_whole() {
    let api = TestApi::start().await;
    let id = api.enqueue(json!({ "lines": 700 })).await;
    let with = api.follow(&id, "?logs=true").await.rest().await;
    let lines: Vec<_> = with.iter().filter(|event| event.name == "log").collect();
    assert!(lines.iter().all(|event| event.id.is_none()));
    assert!(lines.iter().map(|event| event.data["seq"].as_u64().unwrap()).eq(1..=700));
    assert_eq!(lines[0].data["text"], "line 1");
    assert_eq!(with.last().unwrap().name, "end");
    for query in ["", "?logs=false"] {
        assert!(api.follow(&id, query).await.rest().await.iter().all(|event| event.name != "log"));
    }
}

#[tokio::test]
async fn a_stream_sees_what_another_host_did() {
    let api = TestApi::start_with(quick()).await;
    let id = api.enqueue_as(json!({ "task": "hello", "delay_ms": 3_600_000 })).await;
    let mut stream = api.follow(&id, "").await;
    assert_eq!(stream.next().await.unwrap().data["state"], "scheduled");
    // Past the engine: its bus does not hear of this.
    api.store.job_cancel(id.parse().unwrap(), None).await.unwrap();
    let events = stream.rest().await;
    assert_eq!(json!(history(&events)), json!([[2, "cancelled"]]));
    assert_eq!(events.last().unwrap().name, "end");
}

#[tokio::test]
async fn a_stream_is_told_and_does_not_wait_for_its_poll() {
    let slow = ApiSettings { poll_every: Duration::from_secs(600), ..ApiSettings::default() };
    let api = TestApi::start_with(slow).await;
    let id = api.enqueue(json!({ "steps": 1, "wait": true })).await;
    let mut stream = api.follow(&id, "").await;
    while stream.next().await.unwrap().name != "step" {}
    api.runner.open_gate();
    assert_eq!(stream.rest().await.last().unwrap().name, "end");
}

#[tokio::test]
async fn a_stream_ends_without_an_end_when_the_daemon_stops_and_no_new_one_begins() {
    let api = TestApi::start().await;
    let id = api.enqueue_as(json!({ "task": "hello", "delay_ms": 3_600_000 })).await;
    let mut stream = api.follow(&id, "").await;
    assert_eq!(stream.next().await.unwrap().data["state"], "scheduled");
    api.engine.begin_shutdown();
    assert!(stream.next().await.is_none());
    api.get(format!("jobs/{id}/events")).await.problem(503, "stopping");
}

#[tokio::test]
async fn a_stream_without_events_is_kept_alive_by_comments() {
    let api = TestApi::start_with(quick()).await;
    let id = api.enqueue_as(json!({ "task": "hello", "delay_ms": 3_600_000 })).await;
    let mut stream = api.follow(&id, "").await;
    while stream.comments < 3 {
        assert!(stream.read().await);
    }
}

#[tokio::test]
async fn a_retry_is_part_of_the_same_history() {
    let api = TestApi::start().await;
    let id = api.enqueue(json!({ "fatal_once": "no" })).await;
    let first = api.follow(&id, "").await.rest().await;
    assert_eq!(first.last().unwrap().data["state"], "discarded");
    let last = history(&first).last().unwrap().0.to_string();
    api.post(format!("jobs/{id}/retry"), &json!(null)).await;
    let rest = history(&api.follow_after(&id, "", Some(&last)).await.rest().await);
    assert_eq!(
        json!(rest.iter().map(|(_, what)| what).collect::<Vec<_>>()),
        json!(["available", "running", "completed"])
    );
}

#[tokio::test]
async fn a_malformed_place_in_the_stream_is_refused() {
    let api = TestApi::start().await;
    let id = api.enqueue(json!({})).await;
    let path = format!("jobs/{id}/events");
    for value in ["x", "-1", "1.5"] {
        let problem = api.get_with(&path, ("last-event-id", value)).await.problem(400, "invalid_query");
        assert_eq!(problem["errors"][0]["field"], "Last-Event-ID");
        api.get(format!("{path}?after={value}")).await.problem(400, "invalid_query");
    }
    api.get(format!("{path}?logs=maybe")).await.problem(400, "invalid_query");
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_nothing_behind() {
    let api = TestApi::start().await;
    let id = api.enqueue_as(json!({ "task": "hello", "delay_ms": 3_600_000 })).await;
    let mut stream = api.follow(&id, "").await;
    stream.next().await.unwrap();
    assert_eq!(api.engine.handle().watched(), 1);
    drop(stream);
    assert_eq!(api.engine.handle().watched(), 0);
}
