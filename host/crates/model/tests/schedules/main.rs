//! Schedules over years of fires, by given clocks.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

mod clocks;
mod decisions;
mod definition;
mod dialect;
mod intervals;
mod known_fires;
mod sentences;
mod simulation;

use windlass_model::{Calendars, CronLine, Timestamp, Timing, Zone};

/// What a line says in a zone.
fn cron(line: &str, zone: &str) -> Timing {
    Timing::cron(CronLine::parse(line).unwrap(), Zone::parse(zone).unwrap())
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The first `n` fires after a time, as people there write them.
fn fires(timing: &Timing, after: &str, n: usize) -> Vec<String> {
    let fires = timing.next_fires(&Calendars::new(), Timestamp::EPOCH, time(after), n).unwrap();
    fires.into_iter().map(|fire| timing.zone.show(fire)).collect()
}
