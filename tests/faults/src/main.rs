//! The fault harness; see README.md. `cargo xtask faults` builds what it needs and runs it.

#![expect(clippy::print_stdout, reason = "a command for developers talks to its terminal")]

mod database;
mod fleet;
mod ledger;
mod load;
mod round;
mod scenarios;
mod table;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;

use crate::database::Kind;
use crate::round::{Round, Size};
use crate::scenarios::Scenario;

#[derive(Parser)]
#[command(name = "cargo xtask faults", about = "Hurts real daemons, and looks whether the queue kept its promises")]
struct Args {
    /// Go round for so long; without it each scenario runs once, and small.
    #[arg(long)]
    minutes: Option<u64>,
    /// Only this database.
    #[arg(long)]
    database: Option<Kind>,
    /// Only this scenario.
    #[arg(long)]
    scenario: Option<Scenario>,
    /// Where chance begins; drawn if absent.
    #[arg(long)]
    seed: Option<u64>,
    /// The daemon, built with the feature `failpoints`.
    #[arg(long, hide = true)]
    daemon: PathBuf,
    /// The guest that witnesses starts.
    #[arg(long, hide = true)]
    guest: PathBuf,
    /// Where evidence stays.
    #[arg(long, hide = true)]
    evidence: PathBuf,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let args = Args::parse();
    for path in [&args.daemon, &args.guest] {
        ensure!(path.exists(), "there is no {}: run `cargo xtask faults`", path.display());
    }
    std::fs::create_dir_all(&args.evidence)?;
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let plan: Vec<_> = [Kind::Sqlite, Kind::Postgres]
        .into_iter()
        .filter(|kind| args.database.is_none_or(|only| only == *kind))
        .flat_map(|kind| Scenario::all().iter().map(move |scenario| (kind, *scenario)))
        .filter(|(kind, scenario)| scenario.is_for(*kind) && args.scenario.is_none_or(|only| only == *scenario))
        .collect();
    ensure!(!plan.is_empty(), "this scenario is not for this database");
    println!("Seed {seed}, {} scenarios{}", plan.len(), if args.minutes.is_some() { ", again and again" } else { "" });
    let until = args.minutes.map(|minutes| Instant::now() + Duration::from_secs(minutes * 60));
    let (mut broken, mut skipped, mut rounds) = (0, Vec::new(), 0);
    println!("{}", table::head());
    for lap in 0_u64.. {
        for (kind, scenario) in &plan {
            // The first lap is always whole: a time that is too short must not pass for a run.
            if lap > 0 && until.is_some_and(|until| Instant::now() >= until) {
                break;
            }
            let round = Round {
                kind: *kind,
                scenario: *scenario,
                size: if until.is_some() { Size::Large } else { Size::Small },
                seed: seed.wrapping_add(lap),
                daemon: args.daemon.clone(),
                guest: args.guest.clone(),
                evidence: args.evidence.clone(),
            };
            let name = format!("{scenario} on {kind}");
            let report = round.run().await.with_context(|| format!("{name}, seed {}", round.seed))?;
            rounds += 1;
            broken += usize::from(!report.broken.is_empty());
            println!("{}", table::line(&name, &report));
            skipped.extend(report.skipped.map(|why| format!("SKIPPED {name}: {why}")));
        }
        if until.is_none_or(|until| Instant::now() >= until) {
            break;
        }
    }
    for line in &skipped {
        println!("{line}");
    }
    println!("{rounds} rounds, {broken} with a broken promise, {} skipped, seed {seed}", skipped.len());
    Ok(if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
