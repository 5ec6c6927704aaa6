//! A daemon among hostile plugins: ordinary jobs run all the while, its health is asked again and again, and at the end somebody
//! counts what it holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::daemon::{Daemon, PATIENCE};

/// How many jobs run at once here.
const SLOTS: usize = 4;

/// How long the daemon may take to say that it is well while a plugin misbehaves. The bound of 50 ms in the 99th of a hundred is
/// measured on a quiet machine; here it is a machine of CI with other tests beside, and a daemon that hangs takes longer still.
const HEALTHY: Duration = Duration::from_secs(5);

/// A daemon with hostile plugins, and ordinary work beside them.
pub(crate) struct Yard {
    pub(crate) daemon: Daemon,
    over: Arc<AtomicBool>,
    neighbour: JoinHandle<Vec<Duration>>,
    health: JoinHandle<Vec<Duration>>,
    start: Held,
}

/// What a process holds of the machine.
#[derive(Clone, Copy, Debug)]
struct Held {
    resident_kib: u64,
    threads: u64,
    files: u64,
}

/// How a job ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) state: String,
    pub(crate) kind: String,
    pub(crate) message: String,
    pub(crate) output: Value,
    pub(crate) id: String,
}

impl Yard {
    /// Starts a daemon with these plugins, none of which has a grant.
    pub(crate) async fn of(plugins: &[&str]) -> Self {
        let plugins: Vec<_> = plugins.iter().map(|name| (*name, "")).collect();
        Self::granted(&plugins).await
    }

    /// Starts a daemon with these plugins and their grants.
    pub(crate) async fn granted(plugins: &[(&str, &str)]) -> Self {
        let slots = SLOTS.to_string();
        let flags = ["--slots", &slots, "--cancel-grace-ms", "100", "--log", "warn"];
        let daemon = Daemon::start_among(plugins, &flags).await;
        let hello = json!({ "task": "hello", "args": { "name": "Ada" } });
        // The first job of a daemon pays for much that stays.
        let first = daemon.enqueue_job(hello.clone()).await;
        daemon.finished(&first).await;
        let over = Arc::new(AtomicBool::new(false));
        let neighbour = tokio::spawn(work(daemon.url.clone(), hello, over.clone()));
        let health = tokio::spawn(ask(daemon.url.clone(), over.clone()));
        let start = Held::by(daemon.pid());
        Self { daemon, over, neighbour, health, start }
    }

    /// Runs a job of one attempt to its end. It may take three seconds.
    pub(crate) async fn run(&self, task: &str, args: Value) -> Ending {
        self.run_for(task, args, 3_000).await
    }

    /// The same with another time limit.
    pub(crate) async fn run_for(&self, task: &str, args: Value, timeout_ms: u64) -> Ending {
        let body = json!({ "task": task, "args": args, "max_attempts": 1, "timeout_ms": timeout_ms });
        let id = self.daemon.enqueue_job(body).await;
        // The time limit may be longer than anybody waits for one answer.
        let job = self.daemon.until(&id, |job| !job["finished_at"].is_null() || job["state"] == "running").await;
        let mut job = job;
        while job["state"] == "running" {
            let path = format!("/api/v1/jobs/{id}?wait={}s", PATIENCE.as_secs());
            job = self.daemon.get(&path).await.1;
        }
        assert!(!job["finished_at"].is_null(), "the job is not over: {job}");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ending {
            state: text(&job["state"]),
            kind: text(&job["error"]["kind"]),
            message: text(&job["error"]["message"]),
            output: job["output"].clone(),
            id,
        }
    }

    /// Runs each of these to its end, all at once, and says in how far they ended otherwise than expected.
    pub(crate) async fn expect(&self, cases: &[(&str, &str, &str)], timeout_ms: u64) {
        let runs = cases.iter().map(|(task, ..)| self.run_for(task, json!({}), timeout_ms));
        let endings = futures_util::future::join_all(runs).await;
        let mut wrong = Vec::new();
        for ((task, kind, text), ending) in cases.iter().zip(endings) {
            if ending.state != "discarded" || ending.kind != *kind || !ending.message.contains(text) {
                wrong.push(format!("{task} should have ended as {kind} with {text:?}, but: {ending:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    /// Ends the day: the neighbours have worked, the daemon has answered all the while, every slot is free, and what the daemon
    /// holds is near what it held before. Returns the daemon.
    pub(crate) async fn close(self) -> Daemon {
        self.every_slot_is_free().await;
        self.over.store(true, Ordering::Relaxed);
        let (worked, answered) = (self.neighbour.await.unwrap(), self.health.await.unwrap());
        assert!(!worked.is_empty() && !answered.is_empty(), "nobody worked or asked beside the plugins");
        let slowest = answered.iter().max().copied().unwrap_or_default();
        assert!(slowest < HEALTHY, "/healthz took {slowest:?}");
        self.start.is_back(self.daemon.pid()).await;
        self.daemon
    }

    /// As many jobs as there are slots run at the same moment.
    async fn every_slot_is_free(&self) {
        let gate = format!("gate-{}", uuid::Uuid::new_v4());
        let args = json!({ "do": "wait_file", "path": format!("/data/{gate}") });
        let mut jobs = Vec::new();
        for _ in 0..SLOTS - 1 {
            jobs.push(self.daemon.enqueue(args.clone()).await);
        }
        for id in &jobs {
            self.daemon.until(id, |job| job["task_step"] == 1).await;
        }
        std::fs::write(self.daemon.path().join("shared").join(gate), "").unwrap();
        for id in &jobs {
            assert_eq!(self.daemon.finished(id).await["state"], "completed");
        }
    }
}

/// Ordinary jobs, one after the other, until it is over. Each must end well.
async fn work(url: String, hello: Value, over: Arc<AtomicBool>) -> Vec<Duration> {
    let (http, mut took) = (reqwest::Client::new(), Vec::new());
    while !over.load(Ordering::Relaxed) {
        let start = Instant::now();
        let job: Value =
            http.post(format!("{url}/api/v1/jobs")).json(&hello).send().await.unwrap().json().await.unwrap();
        let id = job["id"].as_str().unwrap_or_else(|| panic!("a neighbour was not enqueued: {job}"));
        let wait = format!("{url}/api/v1/jobs/{id}?wait={}s", PATIENCE.as_secs());
        let job: Value = http.get(wait).send().await.unwrap().json().await.unwrap();
        assert_eq!(job["state"], "completed", "a neighbour did not end well: {job}");
        took.push(start.elapsed());
    }
    took
}

/// Asks for the daemon's health again and again until it is over. It must be well each time.
async fn ask(url: String, over: Arc<AtomicBool>) -> Vec<Duration> {
    let (http, mut took) = (reqwest::Client::new(), Vec::new());
    while !over.load(Ordering::Relaxed) {
        let start = Instant::now();
        let answer = http.get(format!("{url}/healthz")).send().await.unwrap();
        assert!(answer.status().is_success(), "the daemon is not well: {}", answer.status());
        took.push(start.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    took
}

impl Held {
    fn by(pid: u32) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.split_whitespace().next().unwrap().parse().unwrap()
        };
        let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count() as u64;
        Self { resident_kib: number("VmRSS:"), threads: number("Threads:"), files }
    }

    /// Waits until a process holds hardly more than this. Memory: 64 MiB more, for the allocator keeps what it may need again, and
    /// one instance alone may take 256. Threads: 20 more, for threads that wait for the disk linger for ten seconds. Files: 64 more,
    /// for the connections of the test itself.
    async fn is_back(self, pid: u32) {
        let start = Instant::now();
        loop {
            let now = Self::by(pid);
            let back = now.resident_kib < self.resident_kib + 64 * 1_024
                && now.threads < self.threads + 20
                && now.files < self.files + 64;
            if back {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "the daemon held {self:?} before and holds {now:?} now");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
