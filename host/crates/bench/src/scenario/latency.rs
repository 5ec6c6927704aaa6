//! How long one job takes from the request until its client knows that it has completed: on an idle daemon, and on one that is busy.

use std::time::{Duration, Instant};

use serde::Deserialize;
use uuid::Uuid;

use super::{Watch, capacity, settle};
use crate::BenchError;
use crate::args::LatencyArgs;
use crate::client::{Call, Connection};
use crate::figures::percentile;
use crate::fleet::Fleet;
use crate::load::{self, MEASURED};
use crate::report::{Run, say};
use crate::sender::{self, Request, Sent, Stream};
use crate::setup::Setup;

/// How many jobs run before the first that counts.
const WARM_UP: u64 = 50;

/// What part of what it can do a busy daemon does.
const BUSY: f64 = 0.5;

/// How long the load runs before the first job that counts.
const SETTLE: Duration = Duration::from_millis(500);

/// What is read of a job.
#[derive(Deserialize)]
struct Job {
    finished_at: Option<String>,
}

/// One job after the other: alone, then beside a stream of others at half of what the daemon can do.
pub(super) async fn run(args: &LatencyArgs, setup: &Setup, fleet: &mut Fleet) -> Result<Run, BenchError> {
    let mut connection = fleet.connect(0).await?;
    load::lay_backlog(&mut connection, setup).await?;
    let job = load::job(&setup.handler, MEASURED, 0);
    let (request, mut ids) = (Request::new(&job, 1), Vec::new());
    measure(&mut connection, &request, WARM_UP, &mut ids).await?;

    let (watch, mut run) = (Watch::begin(fleet).await?, Run::default());
    say(&format!("{} jobs, one after the other", args.jobs));
    let idle = measure(&mut connection, &request, args.jobs, &mut ids).await?;
    watch.cost(&mut run.figures, fleet, args.jobs);
    let rate = match args.rate {
        Some(rate) => rate as f64,
        None => {
            let found = capacity(fleet, &mut connection, &job, args.connections, &mut ids).await?;
            run.figures.add("jobs_per_second", found);
            found * BUSY
        }
    };
    say(&format!("{} jobs, one after the other, beside {rate:.0} others a second", args.jobs));
    let connections = sender::connections(fleet, args.connections).await?;
    let (begun, stream) = (Instant::now(), Stream::start(connections, &[Request::new(&job, 1)], rate));
    tokio::time::sleep(SETTLE).await;
    let busy = measure(&mut connection, &request, args.jobs, &mut ids).await?;
    let lasted = begun.elapsed();
    let sent = stream.end().await?;
    let achieved = sent.ids.len() as f64 / lasted.as_secs_f64();
    ids.extend(sent.ids);
    load::until_ended(&mut connection, MEASURED, ids.len() as u64).await?;

    for (names, took) in [(["p50_ms", "p99_ms"], &idle), (["half_load_p50_ms", "half_load_p99_ms"], &busy)] {
        for (name, of_100) in names.into_iter().zip([50, 99]) {
            run.figures.add(name, percentile(took, of_100).unwrap_or_default());
        }
    }
    run.figures.add("half_load_per_second", achieved);
    drop(connection);
    settle(&mut run, fleet, &ids).await?;
    Ok(run)
}

/// Enqueues a job and waits for its end, so many times; how long each took in milliseconds, sorted.
async fn measure(
    connection: &mut Connection,
    request: &Request,
    jobs: u64,
    ids: &mut Vec<Uuid>,
) -> Result<Vec<f64>, BenchError> {
    let (mut took, mut sent) = (Vec::with_capacity(jobs as usize), Sent::default());
    for _ in 0..jobs {
        let begun = Instant::now();
        request.send(connection, &mut sent).await?;
        let Some(id) = sent.ids.last() else { break };
        let call = Call::get(&format!("/api/v1/jobs/{id}?wait=60s"));
        let found: Job = connection.demand(&call).await?;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
        if found.finished_at.is_none() {
            return Err(BenchError::Stuck { seconds: 60, done: took.len() as u64 - 1, jobs });
        }
    }
    ids.extend(sent.ids);
    took.sort_by(f64::total_cmp);
    Ok(took)
}
