//! What is asked of the daemon.

use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;
use windlass_model::QueueName;

use crate::BenchError;
use crate::client::{Call, Connection};
use crate::fleet::Fleet;
use crate::handler::Handler;
use crate::setup::Setup;

/// The queue of the jobs that are measured.
pub(crate) const MEASURED: &str = "measured";

/// The queue of the jobs that wait behind them.
pub(crate) const BACKLOG: &str = "backlog";

/// The queue of the jobs that were there before.
const BEFORE: &str = "before";

/// How many jobs are enqueued in one request where that is not what is measured.
pub(crate) const FILL_BATCH: u64 = 1_000;

/// How long no job may end before a run is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often is looked, at most and at least. Looking costs the daemon some of its time, so it is done rarely while much is left.
const LOOK: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(250));

/// A priority behind that of all others, for the jobs that wait.
const LAST: i16 = 100;

/// How many jobs a queue has.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Counts {
    completed: u64,
    discarded: u64,
    cancelled: u64,
}

impl Counts {
    pub(crate) const fn ended(self) -> u64 {
        self.completed + self.discarded + self.cancelled
    }
}

/// What is read of a queue.
#[derive(Deserialize)]
struct Queue {
    jobs: Counts,
}

/// What is read of an answer to a batch.
#[derive(Deserialize)]
pub(crate) struct Batch {
    pub(crate) jobs: Vec<Uuid>,
}

/// A job as it is enqueued.
pub(crate) fn job(handler: &Handler, queue: &str, priority: i16) -> String {
    let args = RawValue::from_string(handler.args.clone()).ok();
    json!({ "task": handler.task, "queue": queue, "priority": priority, "args": args }).to_string()
}

/// So many of them in one body.
pub(crate) fn batch(job: &str, jobs: u64) -> Bytes {
    let mut body = String::with_capacity((job.len() + 1) * jobs as usize + 2);
    for number in 0..jobs {
        body.push(if number == 0 { '[' } else { ',' });
        body.push_str(job);
    }
    body.push(']');
    body.into()
}

/// Enqueues so many jobs in large batches, and returns the ids that were answered.
pub(crate) async fn enqueue(connection: &mut Connection, job: &str, jobs: u64) -> Result<Vec<Uuid>, BenchError> {
    let mut ids = Vec::with_capacity(jobs as usize);
    let mut call = Call::post("/api/v1/jobs/batch", batch(job, jobs.min(FILL_BATCH)));
    while (ids.len() as u64) < jobs {
        let left = jobs - ids.len() as u64;
        if left < FILL_BATCH {
            call = Call::post("/api/v1/jobs/batch", batch(job, left));
        }
        let answer: Batch = connection.demand(&call).await?;
        ids.extend(answer.jobs);
    }
    Ok(ids)
}

/// Pauses a queue, or lets it go on.
pub(crate) async fn pause(connection: &mut Connection, queue: &str, paused: bool) -> Result<(), BenchError> {
    let call = Call::patch(&format!("/api/v1/queues/{queue}"), json!({ "paused": paused }).to_string());
    connection.demand::<Queue>(&call).await.map(drop)
}

/// Waits until so many jobs of a queue have ended, and returns when that was seen.
pub(crate) async fn until_ended(connection: &mut Connection, queue: &str, jobs: u64) -> Result<Instant, BenchError> {
    let call = Call::get(&format!("/api/v1/queues/{queue}"));
    let (start, mut last, mut moved) = (Instant::now(), 0, Instant::now());
    loop {
        let done = connection.demand::<Queue>(&call).await?.jobs.ended();
        let now = Instant::now();
        if done >= jobs {
            return Ok(now);
        }
        if done != last {
            (last, moved) = (done, now);
        } else if now - moved > PATIENCE {
            return Err(BenchError::Stuck { seconds: PATIENCE.as_secs(), done, jobs });
        }
        // Half of the time that the rest would take.
        let left = (now - start).mul_f64((jobs - done) as f64 / done.max(1) as f64 / 2.0);
        tokio::time::sleep(left.clamp(LOOK.0, LOOK.1)).await;
    }
}

/// Runs so many jobs to their end, in the queue of those that were there before.
pub(crate) async fn run_through(fleet: &Fleet, setup: &Setup, jobs: u64) -> Result<(), BenchError> {
    let mut connection = fleet.connect(0).await?;
    enqueue(&mut connection, &job(&setup.handler, BEFORE, 0), jobs).await?;
    until_ended(&mut connection, BEFORE, jobs).await.map(drop)
}

/// Puts the jobs that wait behind the others into their queue, which stays paused.
pub(crate) async fn lay_backlog(connection: &mut Connection, setup: &Setup) -> Result<(), BenchError> {
    if setup.common.backlog == 0 {
        return Ok(());
    }
    pause(connection, BACKLOG, true).await?;
    enqueue(connection, &job(&setup.handler, BACKLOG, LAST), setup.common.backlog).await.map(drop)
}

/// The name of the queue of the jobs that are measured.
pub(crate) fn measured() -> QueueName {
    QueueName::parse(MEASURED).unwrap_or_default()
}

/// The id in the answer to one job. Found by its place, because to parse the whole answer would cost more than to send the request.
pub(crate) fn id(answer: &[u8], call: &Call) -> Result<Uuid, BenchError> {
    const BEFORE_ID: &[u8] = b"{\"id\":\"";
    let found = answer.strip_prefix(BEFORE_ID).and_then(|rest| rest.get(..36));
    let parsed = found.and_then(|text| Uuid::try_parse_ascii(text).ok());
    parsed.ok_or_else(|| BenchError::Refused {
        what: call.to_string(),
        status: 202,
        body: "an answer that does not begin with the job's id".to_owned(),
    })
}
