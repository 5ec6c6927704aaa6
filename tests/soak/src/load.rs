//! What the daemon has to do: ordinary jobs, hostile jobs, and another version of a plugin now and then.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::daemon::Daemon;

/// The hostile plugins, each with the state in which its jobs end and the time that they have in milliseconds.
pub(crate) const HOSTILE: [(&str, &str, u64); 16] = [
    ("abort", "discarded", 10_000),
    ("call_mismatch", "discarded", 10_000),
    ("error_of_no_kind", "discarded", 10_000),
    ("exhaust_files", "discarded", 10_000),
    ("exhaust_pollables", "discarded", 10_000),
    ("exit_badly", "discarded", 10_000),
    ("fork", "completed", 10_000),
    ("grow_and_go_on", "completed", 10_000),
    ("grow_page_by_page", "discarded", 10_000),
    ("output_out_of_bounds", "discarded", 10_000),
    ("panic_aloud", "discarded", 10_000),
    ("realloc_out_of_bounds", "discarded", 10_000),
    ("recurse", "discarded", 10_000),
    ("snoop", "completed", 10_000),
    ("spin", "discarded", 50),
    ("wait_in_host_call", "discarded", 50),
];

/// One job in so many is hostile.
const HOSTILE_EVERY: u64 = 10;

/// How many jobs are enqueued in one request.
const BATCH: u64 = 500;

/// How long a lap, or a swap, may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// The load, so far.
pub(crate) struct Load {
    http: Client,
    url: String,
    plugins: PathBuf,
    hello: Vec<u8>,
    enqueued: u64,
    versions: u64,
    /// How many jobs must end in each state.
    expected: BTreeMap<&'static str, u64>,
    over: Arc<AtomicBool>,
    health: Option<JoinHandle<Vec<Duration>>>,
}

impl Load {
    pub(crate) fn new(daemon: &Daemon, built: &Path) -> Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        Ok(Self {
            http: Client::new(),
            url: daemon.url.clone(),
            plugins: daemon.plugins(),
            hello: std::fs::read(built.join("plugins/hello.wasm"))?,
            enqueued: 0,
            versions: 1,
            expected: BTreeMap::new(),
            health: Some(tokio::spawn(ask(daemon.url.clone(), over.clone()))),
            over,
        })
    }

    pub(crate) fn enqueued(&self) -> u64 {
        self.enqueued
    }

    pub(crate) fn versions(&self) -> u64 {
        self.versions
    }

    /// Enqueues so many jobs, swaps a plugin while they run, and waits until all are over.
    pub(crate) async fn lap(&mut self, jobs: u64) -> Result<()> {
        let mut left = jobs;
        while left > 0 {
            let count = left.min(BATCH);
            let batch: Vec<_> = (0..count).map(|_| self.next_job()).collect();
            let answer = self.http.post(format!("{}/api/v1/jobs/batch", self.url)).json(&batch).send().await?;
            ensure!(answer.status() == 202, "a batch was refused: {}", answer.text().await?);
            left -= count;
        }
        self.swap().await?;
        self.until("/api/v1/queues/default", |queue| {
            ["scheduled", "available", "running", "retryable"].iter().all(|state| queue["jobs"][state] == 0)
        })
        .await
        .map(drop)
    }

    fn next_job(&mut self) -> Value {
        let number = self.enqueued;
        self.enqueued += 1;
        let (task, state, timeout_ms) = if number.is_multiple_of(HOSTILE_EVERY) {
            HOSTILE[(number / HOSTILE_EVERY) as usize % HOSTILE.len()]
        } else {
            ("hello", "completed", 60_000)
        };
        *self.expected.entry(state).or_default() += 1;
        json!({ "task": task, "args": { "name": "Ada" }, "max_attempts": 1, "timeout_ms": timeout_ms })
    }

    /// Puts another version of `hello` in place: the same component, with another number behind its end, so that it has to be
    /// compiled anew. Waits until it is in service.
    async fn swap(&mut self) -> Result<()> {
        let before = self.digest().await?;
        let mut bytes = self.hello.clone();
        let number = self.versions.to_string();
        // A section of bytes that mean nothing: its kind, its length, the length of its empty name.
        bytes.extend([0, u8::try_from(number.len() + 1)?, 0]);
        bytes.extend(number.as_bytes());
        let half = self.plugins.join(".hello.half");
        std::fs::write(&half, bytes)?;
        std::fs::rename(half, self.plugins.join("hello.wasm"))?;
        self.until("/api/v1/tasks/hello", |task| task["version"]["digest"] != before).await?;
        self.versions += 1;
        Ok(())
    }

    async fn digest(&self) -> Result<Value> {
        Ok(self.get("/api/v1/tasks/hello").await?["version"]["digest"].clone())
    }

    async fn get(&self, path: &str) -> Result<Value> {
        Ok(self.http.get(format!("{}{path}", self.url)).send().await?.json().await?)
    }

    async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let start = Instant::now();
        loop {
            let found = self.get(path).await?;
            if wanted(&found) {
                return Ok(found);
            }
            ensure!(start.elapsed() < PATIENCE, "it never came: {found}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The states in which there are not as many jobs as there should be, in words.
    pub(crate) async fn wrong_endings(&self) -> Result<Vec<String>> {
        let queue = self.get("/api/v1/queues/default").await?;
        let counts = queue["jobs"].as_object().context("the queue has no counts")?;
        let mut wrong = Vec::new();
        for (state, count) in counts {
            let expected = self.expected.get(state.as_str()).copied().unwrap_or_default();
            if *count != expected {
                wrong.push(format!("{count} jobs are {state}, {expected} should be"));
            }
        }
        Ok(wrong)
    }

    /// How long the daemon took to say that it is well, each time that it was asked; sorted.
    pub(crate) async fn health(&mut self) -> Vec<Duration> {
        self.over.store(true, Ordering::Relaxed);
        let Some(health) = self.health.take() else { return Vec::new() };
        let mut took = health.await.unwrap_or_default();
        took.sort();
        took
    }
}

/// Asks for the daemon's health again and again until it is over. No answer counts as a minute.
async fn ask(url: String, over: Arc<AtomicBool>) -> Vec<Duration> {
    let (http, mut took) = (Client::new(), Vec::new());
    while !over.load(Ordering::Relaxed) {
        let start = Instant::now();
        let well = http.get(format!("{url}/healthz")).send().await.is_ok_and(|answer| answer.status().is_success());
        if !over.load(Ordering::Relaxed) {
            took.push(if well { start.elapsed() } else { Duration::from_secs(60) });
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    took
}
