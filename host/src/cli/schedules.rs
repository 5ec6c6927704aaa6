//! `windlass schedules`: when a schedule fires.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::json;
use windlass_engine::now;
use windlass_model::{Calendars, CronLine, Timing, Zone};

use super::client::ClientError;
use super::print;

/// What can be done with schedules.
#[derive(Subcommand)]
pub(crate) enum SchedulesCommand {
    /// Say in plain English what a cron line means, and when it fires next. Needs no daemon.
    Next(NextArgs),
}

/// The flags of `windlass schedules next`.
#[derive(Args)]
pub(crate) struct NextArgs {
    /// The line, with five fields, or with six and the second first: "0 2 * * 1-5".
    #[arg(value_name = "CRON")]
    line: CronLine,
    /// The time zone of its clock.
    #[arg(long = "tz", value_name = "ZONE", default_value = "UTC")]
    zone: Zone,
    /// How many fires.
    #[arg(short, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    n: u16,
    /// Those after this time: 2026-03-28, 2026-03-28T12:00:00 on the clock of the zone, or with an offset [default: now].
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(command: SchedulesCommand) -> Result<ExitCode, ClientError> {
    match command {
        SchedulesCommand::Next(args) => next(args),
    }
}

fn next(args: NextArgs) -> Result<ExitCode, ClientError> {
    let input = |error: &dyn std::error::Error| ClientError::Input(error.to_string());
    let from = match &args.from {
        Some(text) => args.zone.parse_time(text).map_err(|error| input(&error))?,
        None => now(),
    };
    let timing = Timing::cron(args.line, args.zone);
    let fires = timing.next_fires(&Calendars::new(), from, from, usize::from(args.n)).map_err(|error| input(&error))?;
    let zone = &timing.zone;
    if args.json {
        let fires: Vec<_> = fires.iter().map(|fire| json!({ "at": fire, "local": zone.write_time(*fire) })).collect();
        print::json(&json!({ "sentence": timing.to_string(), "time_zone": zone.as_str(), "fires": fires }))?;
        return Ok(ExitCode::SUCCESS);
    }
    print::line(&timing.to_string())?;
    for fire in &fires {
        // A cron line names whole seconds.
        print::line(&format!("{}   {}", zone.show(*fire), fire.to_string().replace(".000000Z", "Z")))?;
    }
    if fires.is_empty() {
        return Err(ClientError::Input("it does not fire in the next hundred years".to_owned()));
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        args: NextArgs,
    }

    fn parse(words: &[&str]) -> Result<NextArgs, String> {
        let words = std::iter::once(&"x").chain(words);
        <Line as clap::Parser>::try_parse_from(words).map(|line| line.args).map_err(|error| error.to_string())
    }

    #[test]
    fn a_line_alone_is_enough_and_faults_are_told_before_anything_is_done() {
        let args = parse(&["0 2 * * 1-5"]).unwrap();
        assert_eq!((args.zone.as_str(), args.n), ("UTC", 10));
        for (words, said) in [
            (vec!["0 25 * * *"], "the hour `25` is not understood: it takes numbers from 0 to 23"),
            (vec!["0 0 30 2 *"], "`0 0 30 2 *` never fires: no year has such a date"),
            (vec!["@daily", "--tz", "Berlin"], "such as Europe/Berlin"),
            (vec!["@daily", "-n", "0"], "0 is not in 1..=1000"),
        ] {
            let error = parse(&words).err().unwrap_or_default();
            assert!(error.contains(said), "{words:?}: {error}");
        }
    }
}
