//! The scenarios: what is measured, and how.

mod drain;
mod end_to_end;

use std::time::Instant;

use uuid::Uuid;
use windlass_model::Timestamp;
use windlass_store::Slices;

use crate::conditions::{Conditions, Traffic};
use crate::figures::Figures;
use crate::fleet::Fleet;
use crate::process::Usage;
use crate::report::{Report, Run, say};
use crate::setup::Setup;
use crate::{BenchError, Scenario, load, verdict};

/// Measures, and checks what was measured. If it is dropped before its end, nothing of it stays behind.
///
/// # Errors
///
/// A flag that means nothing, or something that did not work; a run that worked and whose jobs are not as they should be is no error
/// but a report that is not verified.
pub async fn run(scenario: &Scenario) -> Result<Report, BenchError> {
    scenario.check()?;
    let setup = Setup::prepare(scenario).await?;
    let (mut runs, mut conditions) = (Vec::new(), None);
    for number in 1..=setup.common.runs {
        let mut fleet = Fleet::start(&setup, &format!("run-{number}")).await?;
        if setup.common.keep {
            say(&format!("run {number} is kept in {}", fleet.database()));
        }
        if conditions.is_none() {
            conditions = Some(Conditions::of(&setup, &fleet, traffic(scenario)).await?);
        }
        let run = match scenario {
            Scenario::Drain(args) => drain::run(args, &setup, &mut fleet).await?,
            Scenario::EndToEnd(args) => end_to_end::run(args, &setup, &mut fleet).await?,
        };
        say(&format!("run {number} of {}: {}", setup.common.runs, outcome(&run)));
        drop(fleet.close().await);
        runs.push(run);
    }
    conditions
        .map(|conditions| Report::new(scenario.name(), runs, conditions))
        .ok_or(BenchError::Flag { flag: "--runs", fault: "0 measures nothing: give 1 or more".to_owned() })
}

fn traffic(scenario: &Scenario) -> Traffic {
    match scenario {
        Scenario::Drain(_) => Traffic::default(),
        Scenario::EndToEnd(args) => Traffic { batch: args.batch.into(), connections: args.connections },
    }
}

fn outcome(run: &Run) -> String {
    let rate = run.figures.get("jobs_per_second").unwrap_or_default();
    let verdict = if run.faults.is_empty() { "verified" } else { "NOT verified" };
    format!("{rate:.0} jobs a second, {verdict}")
}

/// A span of a run of which is told what it cost.
struct Watch {
    /// By the database's clock.
    start: Timestamp,
    begun: Instant,
    daemons: Usage,
    client: Option<Usage>,
}

impl Watch {
    async fn begin(fleet: &Fleet) -> Result<Self, BenchError> {
        let start = fleet.books.clock().await.map_err(BenchError::Books)?;
        Ok(Self { start, daemons: fleet.usage(), client: Usage::own(), begun: Instant::now() })
    }

    /// Adds what was used since, for each of so many jobs.
    fn cost(&self, figures: &mut Figures, fleet: &Fleet, jobs: u64) {
        let micros_per_job = |before: f64, after: f64| (after - before) * 1e6 / jobs.max(1) as f64;
        let now = fleet.usage();
        figures.add("daemon_cpu_us_per_job", micros_per_job(self.daemons.cpu_seconds, now.cpu_seconds));
        if let (Some(before), Some(now)) = (self.client, Usage::own()) {
            figures.add("client_cpu_us_per_job", micros_per_job(before.cpu_seconds, now.cpu_seconds));
        }
        figures.add("daemon_rss_mib", now.resident_mib);
        figures.add("daemon_peak_rss_mib", now.peak_mib);
        figures.add("daemon_start_ms", fleet.start_time().as_secs_f64() * 1e3);
    }
}

/// Stops the daemons, and adds what the database says of the jobs that were measured: how long they took, from `from` on or each
/// from when it was due, who ran them, and what is wrong with them.
async fn settle(
    run: &mut Run,
    fleet: &mut Fleet,
    watch: &Watch,
    from: Option<Timestamp>,
    acknowledged: &[Uuid],
) -> Result<(), BenchError> {
    fleet.stop().await?;
    let queue = load::measured();
    let spans = fleet.books.spans(&queue, from, Slices::whole(watch.start)).await.map_err(BenchError::Books)?;
    if let Some(spans) = spans.first() {
        let millis = |micros: i64| micros as f64 / 1e3;
        run.figures.add("p50_ms", millis(spans.p50_micros));
        run.figures.add("p99_ms", millis(spans.p99_micros));
        run.figures.add("max_ms", millis(spans.max_micros));
    }
    let shares = fleet.books.shares(&queue).await.map_err(BenchError::Books)?;
    run.shares = shares.into_iter().map(|(_, attempts)| attempts).collect();
    run.faults = verdict::faults(fleet.books.as_ref(), &queue, acknowledged).await?;
    run.jobs = acknowledged.len() as u64;
    Ok(())
}
