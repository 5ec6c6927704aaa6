//! Enqueueing over many connections: as quickly as the daemon answers, or at a given rate.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

use crate::BenchError;
use crate::client::{Call, Connection};
use crate::fleet::Fleet;
use crate::load::{self, Batch};

/// How long a connection waits when the daemon says that it has too much to do.
const BACK_OFF: Duration = Duration::from_millis(20);

/// A request that enqueues, ready to be sent any number of times.
#[derive(Clone)]
pub(crate) struct Request {
    call: Call,
    jobs: u64,
}

/// What was sent and answered.
#[derive(Default)]
pub(crate) struct Sent {
    /// The jobs that were acknowledged.
    pub(crate) ids: Vec<Uuid>,
    /// How long each answer took, in milliseconds; sorted, once all connections are done.
    pub(crate) took: Vec<f64>,
    /// How often a request was put off.
    pub(crate) put_off: u64,
}

impl Request {
    /// Enqueues one job, or several in one request.
    pub(crate) fn new(job: &str, jobs: u64) -> Self {
        let call = match jobs {
            1 => Call::post("/api/v1/jobs", job.to_owned()),
            _ => Call::post("/api/v1/jobs/batch", load::batch(job, jobs)),
        };
        Self { call, jobs }
    }

    /// How many jobs it enqueues.
    pub(crate) const fn jobs(&self) -> u64 {
        self.jobs
    }

    /// Sends it until it is taken, and notes the jobs.
    pub(crate) async fn send(&self, connection: &mut Connection, sent: &mut Sent) -> Result<(), BenchError> {
        let body = self.post(connection, sent).await?;
        if self.jobs == 1 {
            sent.ids.push(load::id(&body, &self.call)?);
        } else {
            let answer: Batch =
                serde_json::from_slice(&body).map_err(BenchError::connection(&self.call.to_string()))?;
            sent.ids.extend(answer.jobs);
        }
        Ok(())
    }

    async fn post(&self, connection: &mut Connection, sent: &mut Sent) -> Result<Bytes, BenchError> {
        loop {
            let begun = Instant::now();
            let answer = connection.ask(&self.call).await?;
            match answer.status {
                202 => {
                    sent.took.push(begun.elapsed().as_secs_f64() * 1e3);
                    return Ok(answer.body);
                }
                503 => {
                    sent.put_off += 1;
                    tokio::time::sleep(BACK_OFF).await;
                }
                _ => return Err(answer.refusal(&self.call)),
            }
        }
    }
}

impl Sent {
    fn add(&mut self, other: Self) {
        self.ids.extend(other.ids);
        self.took.extend(other.took);
        self.put_off += other.put_off;
    }
}

/// Connections, to the daemons in turn.
pub(crate) async fn connections(fleet: &Fleet, count: u16) -> Result<Vec<Connection>, BenchError> {
    let mut connections = Vec::with_capacity(count.into());
    for number in 0..count {
        connections.push(fleet.connect(number.into()).await?);
    }
    Ok(connections)
}

/// Sends so many jobs, each connection the next request as soon as it has an answer.
pub(crate) async fn send(connections: Vec<Connection>, job: &str, batch: u64, jobs: u64) -> Result<Sent, BenchError> {
    let (whole, taken) = (Request::new(job, batch), Arc::new(AtomicU64::new(0)));
    let rest = (!jobs.is_multiple_of(batch)).then(|| Request::new(job, jobs % batch));
    let mut tasks = JoinSet::new();
    for mut connection in connections {
        let (whole, rest, taken) = (whole.clone(), rest.clone(), taken.clone());
        tasks.spawn(async move {
            let mut sent = Sent::default();
            loop {
                let first = taken.fetch_add(batch, Ordering::Relaxed);
                let request = match &rest {
                    _ if first >= jobs => return Ok(sent),
                    Some(rest) if jobs - first < batch => rest,
                    _ => &whole,
                };
                request.send(&mut connection, &mut sent).await?;
            }
        });
    }
    gather(tasks).await
}

/// Sends one job after the other over each connection for so long.
pub(crate) async fn send_for(connections: Vec<Connection>, job: &str, time: Duration) -> Result<Sent, BenchError> {
    let (request, end) = (Request::new(job, 1), Instant::now() + time);
    let mut tasks = JoinSet::new();
    for mut connection in connections {
        let request = request.clone();
        tasks.spawn(async move {
            let mut sent = Sent::default();
            while Instant::now() < end {
                request.send(&mut connection, &mut sent).await?;
            }
            Ok(sent)
        });
    }
    gather(tasks).await
}

/// A stream of requests at a given rate, until it is ended.
pub(crate) struct Stream {
    tasks: JoinSet<Result<Sent, BenchError>>,
    over: watch::Sender<bool>,
}

impl Stream {
    /// Sends these requests in turn over all connections, so many jobs a second; what could not be sent in time is made up for.
    pub(crate) fn start(connections: Vec<Connection>, requests: &[Request], jobs_per_second: f64) -> Self {
        let jobs: u64 = requests.iter().map(Request::jobs).sum();
        let requests_per_second = jobs_per_second * requests.len() as f64 / jobs.max(1) as f64;
        // A stream that is too slow to be told from none still begins.
        let apart = Duration::from_secs_f64(1.0 / requests_per_second.max(0.001));
        let period = apart * u32::try_from(connections.len()).unwrap_or(1).max(1);
        let (mut tasks, over) = (JoinSet::new(), watch::Sender::new(false));
        let start = tokio::time::Instant::now();
        for (mut connection, number) in connections.into_iter().zip(0_u32..) {
            let (requests, mut over) = (requests.to_vec(), over.subscribe());
            let mut beat = tokio::time::interval_at(start + apart * number, period);
            beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
            tasks.spawn(async move {
                let mut sent = Sent::default();
                for request in requests.iter().cycle().skip(number as usize % requests.len().max(1)) {
                    tokio::select! {
                        biased;
                        _ = over.changed() => break,
                        _ = beat.tick() => (),
                    }
                    request.send(&mut connection, &mut sent).await?;
                }
                Ok(sent)
            });
        }
        Self { tasks, over }
    }

    /// Sends no more, and says what was sent.
    pub(crate) async fn end(self) -> Result<Sent, BenchError> {
        // Whoever has ended already needs not be told.
        let _ = self.over.send(true);
        gather(self.tasks).await
    }
}

async fn gather(mut tasks: JoinSet<Result<Sent, BenchError>>) -> Result<Sent, BenchError> {
    let mut sent = Sent::default();
    while let Some(ended) = tasks.join_next().await {
        sent.add(ended.map_err(|error| BenchError::io("send jobs")(error.into()))??);
    }
    sent.took.sort_by(f64::total_cmp);
    Ok(sent)
}
