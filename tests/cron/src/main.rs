//! Our cron lines beside cronsim, an implementation in Python by other people, on lines made up at random. `cargo xtask cron` gets it from
//! its registry and runs this.

#![expect(clippy::print_stdout, reason = "a command for developers talks to its terminal")]

mod difference;
mod independent;
mod line;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Parser;
use windlass_model::{Calendars, CronLine, CronLineError, Timestamp, Timing, Zone};

use crate::difference::DIFFERENCES;
use crate::line::Request;

#[derive(Parser)]
#[command(name = "cargo xtask cron", about = "Compares our cron lines with an independent implementation")]
struct Args {
    /// How many lines; about three of four are compared.
    #[arg(long, default_value_t = 1_500)]
    lines: usize,
    /// Which lines: the same seed makes the same ones.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// The Python that has cronsim.
    #[arg(long, hide = true)]
    python: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let mut rng = fastrand::Rng::with_seed(args.seed);
    let made_up: Vec<_> = (0..args.lines).map(|_| line::request(&mut rng)).collect();
    let mut left_out: BTreeMap<&str, usize> = BTreeMap::new();
    let mut requests = Vec::new();
    for request in made_up {
        match DIFFERENCES.iter().find(|difference| (difference.concerns)(&request)) {
            Some(difference) => *left_out.entry(difference.name).or_default() += 1,
            None => requests.push(request),
        }
    }
    let answers = independent::ask(&args.python, &requests)?;
    let compared = requests.len();
    ensure!(answers.len() == compared, "it answers {} of {compared} requests", answers.len());

    let (mut fires, mut silent) = (0, 0);
    let mut wrong = Vec::new();
    for (request, theirs) in requests.iter().zip(answers) {
        let ours = ours(request);
        let theirs = theirs.refused.map_or(Ok(theirs.fires), Err);
        match &ours {
            Ok(found) => fires += found.len(),
            Err(_) => silent += 1,
        }
        // Of a line without any date one tells so at once and the other when it has looked for fifty years.
        let agrees = match (&ours, &theirs) {
            (Err(CronLineError::NoDate(_)), Err(_)) => true,
            (Err(CronLineError::NoDate(_)), Ok(found)) => found.is_empty(),
            (Ok(ours), Ok(found)) => ours == found,
            _ => false,
        };
        if !agrees {
            wrong.push(format!("{request:?}\n  ours:   {}\n  theirs: {}", told(&ours), told(&theirs)));
        }
    }
    ensure!(wrong.is_empty(), "{} of {compared} lines differ (seed {}):\n{}", wrong.len(), args.seed, wrong.join("\n"));
    println!("{compared} lines agree with cronsim in {fires} fires; {silent} of them never fire, as both say");
    for (name, count) in &left_out {
        let reason = DIFFERENCES.iter().find(|difference| difference.name == *name).map_or("", |found| found.reason);
        println!("{count} left out, {name}: {reason}");
    }
    // So that a rule which leaves out too much does not go unseen.
    ensure!(compared * 3 >= args.lines * 2, "only {compared} of {} lines were compared", args.lines);
    Ok(())
}

/// The seconds at which a line fires, as we say.
fn ours(request: &Request) -> Result<Vec<i64>, CronLineError> {
    let line = CronLine::parse(&request.line)?;
    let Ok(zone) = Zone::parse(&request.zone) else { return Ok(Vec::new()) };
    let after = Timestamp::from_micros(request.after * 1_000_000);
    let fires = Timing::cron(line, zone).next_fires(&Calendars::new(), after, after, request.count).unwrap_or_default();
    Ok(fires.into_iter().map(|fire| fire.as_micros() / 1_000_000).collect())
}

/// For a person.
fn told(fires: &Result<Vec<i64>, impl Display>) -> String {
    match fires {
        Ok(fires) => format!("{fires:?}"),
        Err(reason) => reason.to_string(),
    }
}
