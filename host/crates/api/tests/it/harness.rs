//! A daemon without a socket, and a client for it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use windlass_api::ApiSettings;
use windlass_engine::{Engine, EngineSettings, Stores};
use windlass_store::SqliteStore;

use crate::runner::FakeRunner;

/// Long enough for a machine that is busy with everything else.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running engine with its API.
pub(crate) struct TestApi {
    pub(crate) engine: Engine,
    pub(crate) store: SqliteStore,
    pub(crate) runner: Arc<FakeRunner>,
    pub(crate) router: Router,
    _folder: tempfile::TempDir,
}

impl TestApi {
    pub(crate) async fn start() -> Self {
        Self::start_with(ApiSettings::default()).await
    }

    pub(crate) async fn start_with(settings: ApiSettings) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("windlass.db")).await.unwrap();
        let runner = Arc::new(FakeRunner::new());
        let engine_settings = EngineSettings {
            report_every: Duration::from_millis(10),
            shutdown_grace: Duration::from_millis(100),
            is_alone: true,
            ..EngineSettings::default()
        };
        let engine = Engine::start(Stores::of(Arc::new(store.clone())), runner.clone(), engine_settings).await.unwrap();
        let router = windlass_api::router(engine.handle(), settings);
        Self { engine, store, runner, router, _folder: folder }
    }

    /// Sends a request and returns the answer as it starts.
    pub(crate) async fn send(&self, request: Request<Body>) -> axum::response::Response {
        tokio::time::timeout(PATIENCE, self.router.clone().oneshot(request)).await.unwrap().unwrap()
    }

    /// Sends a request and returns the whole answer.
    pub(crate) async fn call(&self, request: Request<Body>) -> Answer {
        let response = self.send(request).await;
        let (parts, body) = response.into_parts();
        let body = tokio::time::timeout(PATIENCE, axum::body::to_bytes(body, usize::MAX)).await.unwrap().unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: impl AsRef<str>) -> Answer {
        self.call(Request::get(url(path.as_ref())).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn get_with(&self, path: &str, header: (&str, &str)) -> Answer {
        self.call(Request::get(url(path)).header(header.0, header.1).body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: impl AsRef<str>, body: &Value) -> Answer {
        self.post_raw(path.as_ref(), "application/json", body.to_string()).await
    }

    pub(crate) async fn post_raw(&self, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
        let request = Request::post(url(path)).header("content-type", content_type).body(body.into()).unwrap();
        self.call(request).await
    }

    /// Enqueues a job of the task `hello` and returns its id.
    pub(crate) async fn enqueue(&self, args: Value) -> String {
        self.enqueue_as(json!({ "task": "hello", "args": args })).await
    }

    pub(crate) async fn enqueue_as(&self, body: Value) -> String {
        let answer = self.post("jobs", &body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Waits until a job is over and returns it.
    pub(crate) async fn finished(&self, id: &str) -> Value {
        let job = self.get(format!("jobs/{id}?wait=20s")).await.json();
        assert!(job["finished_at"].is_string(), "{job}");
        job
    }

    /// Waits until a job is in a state, by its event stream.
    pub(crate) async fn reaches(&self, id: &str, state: &str) {
        let mut events = self.follow(id, "").await;
        while events.next().await.unwrap().data["state"] != state {}
    }

    /// Opens a job's event stream.
    pub(crate) async fn follow(&self, id: &str, query: &str) -> EventReader {
        self.follow_after(id, query, None).await
    }

    pub(crate) async fn follow_after(&self, id: &str, query: &str, last: Option<&str>) -> EventReader {
        let mut request = Request::get(url(&format!("jobs/{id}/events{query}")));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response = self.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        EventReader {
            chunks: response.into_body().into_data_stream(),
            text: String::new(),
            ready: VecDeque::new(),
            comments: 0,
        }
    }

    /// How many jobs are stored, up to 500.
    pub(crate) async fn job_count(&self) -> usize {
        self.get("jobs?limit=500").await.json()["jobs"].as_array().unwrap().len()
    }
}

fn url(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/api/v1/{path}") }
}

/// An answer with its whole body.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Checks that this is a problem document with this status and this code, and returns it.
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        let problem = self.json();
        assert_eq!((self.status.as_u16(), problem["code"].as_str()), (status, Some(code)), "{problem:#}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("urn:windlass:problem:{code}"));
        problem
    }
}

/// Reads server-sent events.
pub(crate) struct EventReader {
    chunks: BodyDataStream,
    text: String,
    ready: VecDeque<SentEvent>,
    pub(crate) comments: usize,
}

/// One server-sent event.
#[derive(Clone, Debug)]
pub(crate) struct SentEvent {
    pub(crate) name: String,
    pub(crate) id: Option<u64>,
    pub(crate) data: Value,
}

impl EventReader {
    /// The next event; `None` when the stream ends.
    pub(crate) async fn next(&mut self) -> Option<SentEvent> {
        // Comments come for ever: they must not count as patience.
        let read = async { while self.ready.is_empty() && self.read().await {} };
        tokio::time::timeout(PATIENCE, read).await.expect("the stream has no event");
        self.ready.pop_front()
    }

    /// All events until the stream ends.
    pub(crate) async fn rest(&mut self) -> Vec<SentEvent> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }

    /// Takes the next piece of the stream; false when it ends.
    pub(crate) async fn read(&mut self) -> bool {
        let chunk = tokio::time::timeout(PATIENCE, self.chunks.next()).await.expect("the stream says nothing");
        let Some(chunk) = chunk else { return false };
        self.text.push_str(std::str::from_utf8(&chunk.unwrap()).unwrap());
        while let Some((block, rest)) = self.text.split_once("\n\n") {
            let (block, rest) = (block.to_owned(), rest.to_owned());
            self.text = rest;
            self.take(&block);
        }
        true
    }

    fn take(&mut self, block: &str) {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        match field("data") {
            Some(data) => self.ready.push_back(SentEvent {
                name: field("event").unwrap().to_owned(),
                id: field("id").map(|id| id.parse().unwrap()),
                data: serde_json::from_str(data).unwrap(),
            }),
            None => self.comments += 1,
        }
    }
}
