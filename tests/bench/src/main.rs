//! Side by side: peers from package registries and Windlass drain the same jobs in turns, each in a database of its own on one
//! PostgreSQL server that waits for its disk, or in its own SQLite file. `cargo xtask peers` builds what it needs and runs it;
//! what is measured, and with which settings, is told in the README beside it.

#![expect(clippy::print_stderr, clippy::print_stdout, reason = "a command for developers talks to its terminal")]

mod conditions;
mod install;
mod line;
mod peer;
mod processor;
mod run;
mod server;
mod summary;
mod windlass;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;

use crate::conditions::Conditions;
use crate::install::Installed;
use crate::peer::{Database, PEERS, Peer, Settings};
use crate::run::Task;
use crate::server::Server;
use crate::summary::{Row, Summary, Turn};
use crate::windlass::Windlass;

/// What every job carries: the order that `windlass bench` gives to its `noop`.
const PAYLOAD: &str = r#"{"customer":"Grace Hopper, Arlington","lines":[{"article":"relay","pieces":17,"cents":1240},{"article":"moth trap","pieces":1,"cents":89900}],"note":"Please leave the parcel with the neighbour."}"#;

#[derive(Parser)]
#[command(name = "cargo xtask peers", about = "Runs peers and Windlass in turns, and says how they compare")]
struct Args {
    /// How many jobs each run drains.
    #[arg(long, default_value_t = 100_000)]
    jobs: u64,
    /// How many turns each peer has.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only these peers, with commas between them.
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    only: Vec<String>,
    /// Only these settings of the peers.
    #[arg(long)]
    settings: Option<Settings>,
    /// Only what runs on this database.
    #[arg(long)]
    database: Option<Database>,
    /// How long a peer may drain. What it did by then counts, and the table says so.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Without the turns of Windlass, and so without ratios.
    #[arg(long)]
    alone: bool,
    /// Install the peers, and run nothing.
    #[arg(long)]
    install: bool,
    /// One JSON object on standard output in place of the table.
    #[arg(long)]
    json: bool,
    /// The program that is compared with.
    #[arg(long, hide = true)]
    windlass: PathBuf,
    /// The folder in which the peers are installed.
    #[arg(long, hide = true)]
    built: PathBuf,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let args = Args::parse();
    ensure!(args.jobs > 0 && args.rounds > 0, "take one job and one round at least");
    let peers = chosen(&args)?;
    let installed = Installed::install(&args.built, &peers)?;
    if args.install {
        return Ok(ExitCode::SUCCESS);
    }
    let mut server = Server::start().await?;
    let conditions = Conditions::read(&mut server, args.jobs, args.rounds, PAYLOAD).await?;
    let mut rows: Vec<Row> = peers.iter().map(|peer| Row::new(peer)).collect();
    for round in 1..=args.rounds {
        for (peer, row) in peers.iter().zip(&mut rows) {
            let turn = turn(&args, peer, &installed, &mut server).await;
            eprintln!("{round}/{} {peer}: {turn}", args.rounds);
            row.turns.push(turn);
        }
    }
    let summary = Summary::new(conditions, rows);
    match args.json {
        true => println!("{}", serde_json::to_string_pretty(&summary)?),
        false => println!("{summary}"),
    }
    Ok(if summary.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The peer, and Windlass after it. A run that fails does not cost the others their figures.
async fn turn(args: &Args, peer: &Peer, installed: &Installed, server: &mut Server) -> Turn {
    let task = Task { jobs: args.jobs, patience: Duration::from_secs(args.seconds), payload: PAYLOAD };
    let outcome = run::run(peer, installed, server, task).await;
    let beside = match args.alone {
        true => Ok(None),
        false => Windlass { program: &args.windlass }.drain(peer.database, args.jobs, server).await.map(Some),
    };
    Turn::new(outcome, beside)
}

/// The peers that the flags leave, in the order of the list.
fn chosen(args: &Args) -> Result<Vec<&'static Peer>> {
    let names: BTreeSet<&str> = PEERS.iter().map(|peer| peer.name).collect();
    for name in &args.only {
        ensure!(names.contains(name.as_str()), "there is no peer `{name}`: choose from {names:?}");
    }
    let is_chosen = |peer: &&Peer| {
        (args.only.is_empty() || args.only.iter().any(|name| name == peer.name))
            && args.settings.is_none_or(|settings| settings == peer.settings)
            && args.database.is_none_or(|database| database == peer.database)
    };
    let chosen: Vec<_> = PEERS.iter().filter(is_chosen).collect();
    ensure!(!chosen.is_empty(), "no peer has these settings on that database");
    Ok(chosen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(flags: &[&str]) -> Result<Vec<String>> {
        let always = ["peers", "--windlass", "windlass", "--built", "peers"];
        let args = Args::try_parse_from(always.iter().chain(flags))?;
        Ok(chosen(&args)?.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_flags_choose_the_peers() {
        assert_eq!(names(&[]).unwrap().len(), PEERS.len());
        let obelisk = names(&["--only", "obelisk", "--database", "sqlite"]).unwrap();
        assert_eq!(obelisk, ["obelisk on sqlite, fast", "obelisk on sqlite, default"]);
        let fast = names(&["--only", "pg-boss,apalis", "--settings", "fast"]).unwrap();
        assert_eq!(fast, ["pg-boss on postgres, fast", "apalis on postgres, fast"]);
    }

    #[test]
    fn a_peer_that_is_not_there_is_told_with_those_that_are() {
        let fault = names(&["--only", "river"]).unwrap_err().to_string();
        assert!(fault.starts_with("there is no peer `river`: choose from {\"apalis\""), "{fault}");
        let fault = names(&["--only", "pg-boss", "--database", "sqlite"]).unwrap_err().to_string();
        assert_eq!(fault, "no peer has these settings on that database");
    }

    #[test]
    fn the_payload_is_about_as_large_as_the_bar_says() {
        assert!((190..=220).contains(&PAYLOAD.len()), "{}", PAYLOAD.len());
        assert!(serde_json::from_str::<serde_json::Value>(PAYLOAD).is_ok());
    }
}
