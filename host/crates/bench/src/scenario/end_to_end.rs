//! Jobs enqueued over HTTP as quickly as the daemon takes them, and run meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use uuid::Uuid;

use super::{Watch, settle};
use crate::BenchError;
use crate::args::EndToEndArgs;
use crate::client::{Call, Connection};
use crate::figures::percentile;
use crate::fleet::Fleet;
use crate::load::{self, Batch, MEASURED};
use crate::report::{Run, say};
use crate::setup::Setup;

/// How long a connection waits when the daemon says that it has too much to do.
const BACK_OFF: Duration = Duration::from_millis(20);

/// What all connections share.
struct Work {
    jobs: u64,
    batch: u64,
    /// How many jobs have been taken to be sent.
    taken: AtomicU64,
    job: String,
}

/// What was sent and answered.
#[derive(Default)]
pub(super) struct Sent {
    pub(super) ids: Vec<Uuid>,
    /// How long each answer took, in milliseconds.
    pub(super) took: Vec<f64>,
    /// How many requests were put off.
    pub(super) put_off: u64,
}

/// Sends all jobs over all connections, each with the next request as soon as it has an answer, and waits until all have ended.
pub(super) async fn run(args: &EndToEndArgs, setup: &Setup, fleet: &mut Fleet) -> Result<Run, BenchError> {
    let mut control = fleet.connect(0).await?;
    load::lay_backlog(&mut control, setup).await?;
    let mut connections = Vec::new();
    for number in 0..args.connections {
        connections.push(fleet.connect(number.into()).await?);
    }
    let job = load::job(&setup.handler, MEASURED, 0);
    let work = Arc::new(Work { jobs: args.jobs, batch: args.batch.into(), taken: AtomicU64::new(0), job });
    say(&format!("{} jobs are sent over {} connections", args.jobs, args.connections));

    let watch = Watch::begin(fleet).await?;
    let sent = send(connections, &work).await?;
    let answered = Instant::now();
    let ended = load::until_ended(&mut control, MEASURED, args.jobs).await?;

    let mut run = Run::default();
    let per_second = |end: Instant| args.jobs as f64 / (end - watch.begun).as_secs_f64();
    run.figures.add("jobs_per_second", per_second(ended));
    run.figures.add("acknowledged_per_second", per_second(answered));
    run.figures.add("completed_per_second", per_second(ended));
    for (name, of_100) in [("post_p50_ms", 50), ("post_p99_ms", 99)] {
        run.figures.add(name, percentile(&sent.took, of_100).unwrap_or_default());
    }
    run.figures.add("requests_put_off", sent.put_off as f64);
    watch.cost(&mut run.figures, fleet, args.jobs);
    drop(control);
    settle(&mut run, fleet, &watch, None, &sent.ids).await?;
    Ok(run)
}

/// Sends all jobs, a task for each connection; the times come back sorted.
async fn send(connections: Vec<Connection>, work: &Arc<Work>) -> Result<Sent, BenchError> {
    let mut tasks = JoinSet::new();
    for connection in connections {
        tasks.spawn(send_over(connection, work.clone()));
    }
    let mut sent = Sent::default();
    while let Some(ended) = tasks.join_next().await {
        let part = ended.map_err(|error| BenchError::io("send jobs")(error.into()))??;
        sent.ids.extend(part.ids);
        sent.took.extend(part.took);
        sent.put_off += part.put_off;
    }
    sent.took.sort_by(f64::total_cmp);
    Ok(sent)
}

async fn send_over(mut connection: Connection, work: Arc<Work>) -> Result<Sent, BenchError> {
    let mut sent = Sent::default();
    let one = Call::post("/api/v1/jobs", work.job.clone());
    let many = Call::post("/api/v1/jobs/batch", load::batch(&work.job, work.batch));
    loop {
        let first = work.taken.fetch_add(work.batch, Ordering::Relaxed);
        if first >= work.jobs {
            return Ok(sent);
        }
        let left = work.jobs - first;
        if work.batch == 1 {
            let body = post(&mut connection, &one, &mut sent).await?;
            sent.ids.push(load::id(&body, &one)?);
        } else {
            let last = (left < work.batch).then(|| Call::post("/api/v1/jobs/batch", load::batch(&work.job, left)));
            let call = last.as_ref().unwrap_or(&many);
            let body = post(&mut connection, call, &mut sent).await?;
            let answer: Batch = serde_json::from_slice(&body).map_err(BenchError::connection(&call.to_string()))?;
            sent.ids.extend(answer.jobs);
        }
    }
}

/// Sends a request until it is taken.
pub(super) async fn post(
    connection: &mut Connection,
    call: &Call,
    sent: &mut Sent,
) -> Result<bytes::Bytes, BenchError> {
    loop {
        let begun = Instant::now();
        let answer = connection.ask(call).await?;
        match answer.status {
            202 => {
                sent.took.push(begun.elapsed().as_secs_f64() * 1e3);
                return Ok(answer.body);
            }
            503 => {
                sent.put_off += 1;
                tokio::time::sleep(BACK_OFF).await;
            }
            _ => return Err(answer.refusal(call)),
        }
    }
}
