//! The soak: one daemon runs very many jobs, some of them hostile, while a plugin is swapped again and again. It must end all of them
//! as it should, and at the end hold no more memory than after its warm-up. `cargo xtask soak` builds what it needs and runs it.

#![expect(clippy::print_stdout, reason = "a command for developers talks to its terminal")]

mod daemon;
mod load;
mod verdict;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::Parser;

use crate::daemon::Daemon;
use crate::load::Load;
use crate::verdict::Verdict;

/// How many jobs a lap has at least. After each the plugin has another version, and the daemon is measured when nothing runs.
const LAP: u64 = 150;

/// How many laps a run has at most.
const LAPS: u64 = 200;

/// And at least: fewer samples say nothing.
const LEAST_LAPS: u64 = 20;

#[derive(Parser)]
#[command(
    name = "cargo xtask soak",
    about = "Runs very many jobs on one daemon, and looks whether its memory stays flat"
)]
struct Args {
    /// How many jobs in all.
    #[arg(long, default_value_t = 100_000)]
    jobs: u64,
    /// The daemon.
    #[arg(long, hide = true)]
    daemon: PathBuf,
    /// The folder with what is built: `plugins`, and `guests` with the hostile ones.
    #[arg(long, hide = true)]
    built: PathBuf,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let laps = (args.jobs / LAP).min(LAPS);
    ensure!(laps >= LEAST_LAPS, "take {} jobs or more", LAP * LEAST_LAPS);
    let (start, mut daemon) = (Instant::now(), Daemon::start(&args.daemon, &args.built)?);
    let mut load = Load::new(&daemon, &args.built)?;
    let mut held = Vec::new();
    println!("Jobs\tVersions\tMemory (MiB)\tThreads\tFiles\tJobs a second");
    for lap in 1..=laps {
        let (count, begun) = (args.jobs * lap / laps - args.jobs * (lap - 1) / laps, Instant::now());
        load.lap(count).await?;
        let sample = daemon.held()?;
        if lap % (laps / LEAST_LAPS) == 0 || lap == 1 {
            let rate = count as f64 / begun.elapsed().as_secs_f64();
            let (jobs, versions) = (load.enqueued(), load.versions());
            println!("{jobs}\t{versions}\t{:.1}\t{}\t{}\t{rate:.0}", sample.mebibytes(), sample.threads, sample.files);
        }
        held.push(sample);
    }
    let wrong = load.wrong_endings().await?;
    let health = load.health().await;
    let stopped = daemon.stop()?;
    let verdict = Verdict::of(args.jobs, &held, wrong, health, stopped);
    println!("{} jobs, {} versions of one plugin, {:.0?}", load.enqueued(), load.versions(), start.elapsed());
    println!("{verdict}");
    Ok(if verdict.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
