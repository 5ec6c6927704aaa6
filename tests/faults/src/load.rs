//! Applications that enqueue, whatever happens.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use anyhow::Result;
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::fleet::Addresses;
use crate::ledger::Ledger;

/// How long an application waits for an answer. Longer than any time limit of a daemon.
const ANSWER: Duration = Duration::from_secs(20);

/// Within this time after the last fault every enqueue must have been taken.
pub(crate) const ALL_TAKEN: Duration = Duration::from_secs(60);

/// What is enqueued.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mix {
    /// How many enqueue at once.
    pub(crate) senders: usize,
    /// How many jobs are to be acknowledged at least; then they come slowly, until the faults are over.
    pub(crate) jobs: usize,
    /// The longest that a job takes, in milliseconds.
    pub(crate) max_ms: u64,
}

/// Applications that run.
pub(crate) struct Load {
    senders: JoinSet<()>,
    enough: Arc<AtomicBool>,
}

impl Load {
    pub(crate) fn start(mix: Mix, addresses: &Addresses, ledger: &Arc<Ledger>, rng: &mut Rng) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let mut senders = JoinSet::new();
        for _ in 0..mix.senders {
            let sender = Sender {
                mix,
                addresses: addresses.clone(),
                ledger: ledger.clone(),
                enough: enough.clone(),
                rng: rng.fork(),
                http: reqwest::Client::builder().timeout(ANSWER).build().unwrap_or_default(),
            };
            senders.spawn(sender.run());
        }
        Self { senders, enough }
    }

    /// The faults are over: returns when enough jobs are acknowledged, and false if that takes too long.
    pub(crate) async fn end(mut self) -> Result<bool> {
        self.enough.store(true, Ordering::SeqCst);
        let all = async {
            while self.senders.join_next().await.transpose()?.is_some() {}
            Ok(())
        };
        match tokio::time::timeout(ALL_TAKEN, all).await {
            Ok(ended) => ended.map(|()| true),
            Err(_) => Ok(false),
        }
    }
}

struct Sender {
    mix: Mix,
    addresses: Addresses,
    ledger: Arc<Ledger>,
    enough: Arc<AtomicBool>,
    rng: Rng,
    http: reqwest::Client,
}

impl Sender {
    async fn run(mut self) {
        loop {
            let is_enough = self.ledger.acknowledged_count() >= self.mix.jobs;
            if is_enough && self.enough.load(Ordering::SeqCst) {
                return;
            }
            // Enough of them are told 202 already, or none is: then all of them together ask some forty times a second.
            let slowly = self.rng.u64(100..300) * self.mix.senders as u64 / 8;
            let pause = if self.enqueue().await && !is_enough { self.rng.u64(0..10) } else { slowly };
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    /// Returns whether it was told 202.
    async fn enqueue(&mut self) -> bool {
        let up: Vec<_> = {
            let addresses = self.addresses.read().unwrap_or_else(PoisonError::into_inner);
            addresses.iter().flatten().cloned().collect()
        };
        let Some(url) = self.rng.choice(up) else { return false };
        let is_batch = self.rng.u8(0..10) == 0;
        let (path, body) = match is_batch {
            true => ("/api/v1/jobs/batch", (0..self.rng.usize(2..20)).map(|_| self.job()).collect()),
            false => ("/api/v1/jobs", self.job()),
        };
        let (answer, ids) = match self.http.post(format!("{url}{path}")).json(&body).send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                // An answer that breaks off in its middle has told nobody anything.
                let body: Value = response.json().await.unwrap_or_default();
                if status == 202 { (status.to_string(), ids(&body)) } else { (refusal(status, &body), Vec::new()) }
            }
            Err(error) if error.is_timeout() => (format!("none in {ANSWER:?}"), Vec::new()),
            Err(_) => ("none: the connection broke".to_owned(), Vec::new()),
        };
        let is_told = !ids.is_empty();
        self.ledger.count(answer);
        self.ledger.acknowledge(ids);
        is_told
    }

    fn job(&mut self) -> Value {
        // Most are short, some take long enough to be caught in the middle; one in ten fails at first.
        let ms = if self.rng.u8(0..10) < 8 { self.rng.u64(0..15) } else { self.rng.u64(0..=self.mix.max_ms) };
        let fails = u8::from(self.rng.u8(0..10) == 0);
        json!({ "task": "probe", "args": { "do": "witness", "folder": Path::new("/ledger"), "ms": ms, "fails": fails } })
    }
}

fn ids(body: &Value) -> Vec<String> {
    let one = body["id"].as_str();
    let many = body["jobs"].as_array().into_iter().flatten().filter_map(Value::as_str);
    one.into_iter().chain(many).map(str::to_owned).collect()
}

fn refusal(status: u16, body: &Value) -> String {
    format!("{status} {}", body["code"].as_str().unwrap_or("without a code"))
}
