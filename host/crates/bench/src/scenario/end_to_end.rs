//! Jobs enqueued over HTTP as quickly as the daemon takes them, and run meanwhile.

use std::time::Instant;

use super::{Watch, settle, spans};
use crate::args::EndToEndArgs;
use crate::figures::percentile;
use crate::fleet::Fleet;
use crate::load::{self, MEASURED};
use crate::report::{Run, say};
use crate::setup::Setup;
use crate::{BenchError, sender};

/// Sends all jobs over all connections, each with the next request as soon as it has an answer, and waits until all have ended.
pub(super) async fn run(args: &EndToEndArgs, setup: &Setup, fleet: &mut Fleet) -> Result<Run, BenchError> {
    let mut control = fleet.connect(0).await?;
    load::lay_backlog(&mut control, setup).await?;
    let connections = sender::connections(fleet, args.connections).await?;
    let job = load::job(&setup.handler, MEASURED, 0);
    say(&format!("{} jobs are sent over {} connections", args.jobs, args.connections));

    let watch = Watch::begin(fleet).await?;
    let sent = sender::send(connections, &job, args.batch.into(), args.jobs).await?;
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
    settle(&mut run, fleet, &sent.ids).await?;
    spans(&mut run, fleet, &watch, None).await?;
    Ok(run)
}
