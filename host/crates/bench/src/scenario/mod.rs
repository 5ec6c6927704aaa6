//! The scenarios: what is measured, and how.

mod drain;
mod end_to_end;
mod latency;
pub(crate) mod soak;

use std::time::{Duration, Instant};

use uuid::Uuid;
use windlass_model::Timestamp;
use windlass_store::Slices;

use crate::client::Connection;
use crate::conditions::{Conditions, Traffic};
use crate::figures::Figures;
use crate::fleet::Fleet;
use crate::load::MEASURED;
use crate::process::Usage;
use crate::report::{Report, Run, say};
use crate::setup::Setup;
use crate::{BenchError, Scenario, load, sender, verdict};

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
            Scenario::Latency(args) => latency::run(args, &setup, &mut fleet).await?,
            Scenario::Soak(args) => soak::run(args, &setup, &mut fleet).await?,
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
        Scenario::Latency(args) => Traffic { batch: 1, connections: args.connections },
        Scenario::Soak(args) => Traffic { batch: 1, connections: args.connections },
    }
}

fn outcome(run: &Run) -> String {
    let p50 = run.figures.get("p50_ms").unwrap_or_default();
    let rate = run.figures.get("jobs_per_second").map(|rate| format!("{rate:.0} jobs a second, "));
    let verdict = if run.faults.is_empty() { "verified" } else { "NOT verified" };
    format!("{}half within {p50} ms, {verdict}", rate.unwrap_or_default())
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
        let system = micros_per_job(self.daemons.system_seconds, now.system_seconds);
        figures.add("daemon_system_us_per_job", system);
        if let (Some(before), Some(now)) = (self.client, Usage::own()) {
            figures.add("client_cpu_us_per_job", micros_per_job(before.cpu_seconds, now.cpu_seconds));
        }
        figures.add("daemon_rss_mib", now.resident_mib);
        figures.add("daemon_peak_rss_mib", now.peak_mib);
        figures.add("daemon_start_ms", fleet.start_time().as_secs_f64() * 1e3);
    }
}

/// How long is sent to find out what the daemon can do.
const CAPACITY_TIME: Duration = Duration::from_secs(2);

/// How many jobs a second are enqueued one by one and run to their end, with nothing else to do. Adds their ids.
async fn capacity(
    fleet: &Fleet,
    control: &mut Connection,
    job: &str,
    connections: u16,
    ids: &mut Vec<Uuid>,
) -> Result<f64, BenchError> {
    let connections = sender::connections(fleet, connections).await?;
    let begun = Instant::now();
    let sent = sender::send_for(connections, job, CAPACITY_TIME).await?;
    let jobs = sent.ids.len();
    ids.extend(sent.ids);
    let ended = load::until_ended(control, MEASURED, ids.len() as u64).await?;
    Ok(jobs as f64 / (ended - begun).as_secs_f64())
}

/// Stops the daemons, and looks what the database says of the jobs that were measured: who ran them, and what is wrong with them.
async fn settle(run: &mut Run, fleet: &mut Fleet, acknowledged: &[Uuid]) -> Result<(), BenchError> {
    let daemons = fleet.len();
    fleet.stop().await?;
    let queue = load::measured();
    let shares = fleet.books.shares(&queue).await.map_err(BenchError::Books)?;
    run.shares = shares.into_iter().map(|(_, attempts)| attempts).collect();
    if daemons > 1 {
        let (fair, all_took_part) =
            (run.shares.iter().sum::<u64>() as f64 / daemons as f64, run.shares.len() >= daemons);
        let least = run.shares.last().filter(|_| all_took_part).copied().unwrap_or_default();
        run.figures.add("least_of_a_fair_share", least as f64 / fair.max(1.0));
    }
    run.faults = verdict::faults(fleet.books.as_ref(), &queue, acknowledged).await?;
    run.jobs = acknowledged.len() as u64;
    Ok(())
}

/// Adds how long the jobs took as the database has it: from `from` on, or each from when it was due.
async fn spans(run: &mut Run, fleet: &Fleet, watch: &Watch, from: Option<Timestamp>) -> Result<(), BenchError> {
    let all = Slices::whole(watch.start);
    let spans = fleet.books.spans(&load::measured(), from, all).await.map_err(BenchError::Books)?;
    for spans in spans.iter().take(1) {
        let figures = [("p50_ms", spans.p50_micros), ("p99_ms", spans.p99_micros), ("max_ms", spans.max_micros)];
        for (name, micros) in figures {
            run.figures.add(name, micros as f64 / 1e3);
        }
    }
    Ok(())
}
