//! So many queued jobs: how long until all of them are durably done.

use std::time::Instant;

use super::{Watch, settle, spans};
use crate::BenchError;
use crate::args::DrainArgs;
use crate::fleet::Fleet;
use crate::load::{self, BACKLOG, MEASURED};
use crate::report::{Run, say};
use crate::setup::Setup;

/// Fills a paused queue, lets it go, and waits until all jobs have ended and their ends are committed.
pub(super) async fn run(args: &DrainArgs, setup: &Setup, fleet: &mut Fleet) -> Result<Run, BenchError> {
    let mut connection = fleet.connect(0).await?;
    load::lay_backlog(&mut connection, setup).await?;
    load::pause(&mut connection, MEASURED, true).await?;
    say(&format!("{} jobs are enqueued", args.jobs));
    let enqueuing = Instant::now();
    let ids = load::enqueue(&mut connection, &load::job(&setup.handler, MEASURED, 0), args.jobs).await?;
    let enqueued = enqueuing.elapsed();

    let watch = Watch::begin(fleet).await?;
    load::pause(&mut connection, MEASURED, false).await?;
    if setup.common.backlog > 0 {
        // Behind the others by their priority; claims must look past them all the same.
        load::pause(&mut connection, BACKLOG, false).await?;
    }
    let ended = load::until_ended(&mut connection, MEASURED, args.jobs).await?;

    let mut run = Run::default();
    run.figures.add("jobs_per_second", args.jobs as f64 / (ended - watch.begun).as_secs_f64());
    watch.cost(&mut run.figures, fleet, args.jobs);
    run.figures.add("filled_per_second", args.jobs as f64 / enqueued.as_secs_f64());
    drop(connection);
    settle(&mut run, fleet, &ids).await?;
    spans(&mut run, fleet, &watch, Some(watch.start)).await?;
    Ok(run)
}
