//! A mixed load for a long time at the same rate: does anything grow, does anything slow down?

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use windlass_store::{SliceSpans, Slices};

use super::{Watch, capacity, settle, spans};
use crate::BenchError;
use crate::args::SoakArgs;
use crate::fleet::Fleet;
use crate::load::{self, MEASURED};
use crate::report::{Run, say};
use crate::sender::{self, Request, Stream};
use crate::setup::Setup;

/// What part of what the daemon can do it is given to do, unless a rate was named.
const LOAD: f64 = 0.5;

/// A run is told of minute by minute, if it has so many; a shorter one in as many parts.
const PARTS: u64 = 5;

/// How much less may be done at the end than at the start before it is called a decline.
const DECLINE: f64 = 0.05;

/// A part of a run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Part {
    /// When it began, in seconds after the start.
    from_seconds: u64,
    completed_per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    /// The memory at its end of the daemon that has most, in MiB.
    rss_mib: f64,
}

/// Sends the mix at its rate, looks at the memory after each part, and reads in the end from the database what was done when.
pub(super) async fn run(args: &SoakArgs, setup: &Setup, fleet: &mut Fleet) -> Result<Run, BenchError> {
    let mut control = fleet.connect(0).await?;
    load::lay_backlog(&mut control, setup).await?;
    let (mut run, mut ids) = (Run::default(), Vec::new());
    let rate = match args.rate {
        Some(rate) => rate as f64,
        None => {
            let job = load::job(&setup.handler, MEASURED, 0);
            capacity(fleet, &mut control, &job, args.connections, &mut ids).await? * LOAD
        }
    };
    let part =
        Duration::from_secs_f64(if args.seconds >= PARTS * 60 { 60.0 } else { args.seconds as f64 / PARTS as f64 });
    let parts = (args.seconds as f64 / part.as_secs_f64()).round() as u64;
    say(&format!("{rate:.0} jobs a second for {} seconds", args.seconds));

    let connections = sender::connections(fleet, args.connections).await?;
    let before = ids.len() as u64;
    let (watch, stream) = (Watch::begin(fleet).await?, Stream::start(connections, &mix(setup), rate));
    let mut memory = Vec::new();
    for number in 1..=parts {
        tokio::time::sleep_until((watch.begun + part * u32::try_from(number).unwrap_or(u32::MAX)).into()).await;
        memory.push(fleet.usage().resident_mib);
        say(&format!("part {number} of {parts}: {:.1} MiB", memory.last().copied().unwrap_or_default()));
    }
    ids.extend(stream.end().await?.ids);
    load::until_ended(&mut control, MEASURED, ids.len() as u64).await?;
    let jobs = ids.len() as u64 - before;
    watch.cost(&mut run.figures, fleet, jobs);
    drop(control);
    settle(&mut run, fleet, &ids).await?;
    spans(&mut run, fleet, &watch, None).await?;
    let whole = Duration::from_secs(args.seconds);
    let fifths = slices(fleet, &watch, whole / 5).await?;
    let ended: u64 = fifths.iter().filter(|fifth| fifth.slice < 5).map(|fifth| fifth.jobs).sum();
    run.figures.add("jobs_per_second", ended as f64 / whole.as_secs_f64());
    run.figures.add("asked_per_second", rate);
    decline(&mut run, &fifths, whole / 5, &memory);
    let found = slices(fleet, &watch, part).await?;
    run.parts = memory.iter().zip(0..).map(|(rss_mib, number)| Part::of(&found, number, part, *rss_mib)).collect();
    Ok(run)
}

/// What is sent: of ten requests six with a plain job, one each with a job that is to wait a second, that goes before others, that
/// has labels, and one with twenty jobs.
fn mix(setup: &Setup) -> Vec<Request> {
    let plain = load::job(&setup.handler, MEASURED, 0);
    let with = |name: &str, value: Value| {
        let mut job: Value = serde_json::from_str(&plain).unwrap_or_default();
        job[name] = value;
        Request::new(&job.to_string(), 1)
    };
    let mut mix = vec![Request::new(&plain, 1); 6];
    mix.push(with("delay_ms", json!(1_000)));
    mix.push(with("priority", json!(-10)));
    mix.push(with("tags", json!(["soak", "labelled"])));
    mix.push(Request::new(&plain, 20));
    mix
}

async fn slices(fleet: &Fleet, watch: &Watch, slice: Duration) -> Result<Vec<SliceSpans>, BenchError> {
    let slices = Slices { start: watch.start, micros: u64::try_from(slice.as_micros()).unwrap_or(u64::MAX) };
    fleet.books.spans(&load::measured(), None, slices).await.map_err(BenchError::Books)
}

/// Adds what the first and the last fifth came to.
fn decline(run: &mut Run, fifths: &[SliceSpans], fifth: Duration, memory: &[f64]) {
    let jobs = |number: i64| fifths.iter().find(|found| found.slice == number).map_or(0.0, |found| found.jobs as f64);
    let (first, last) = (jobs(0), jobs(4));
    run.figures.add("first_fifth_per_second", first / fifth.as_secs_f64());
    run.figures.add("last_fifth_per_second", last / fifth.as_secs_f64());
    run.figures.add("first_rss_mib", memory.first().copied().unwrap_or_default());
    run.figures.add("last_rss_mib", memory.last().copied().unwrap_or_default());
    run.declined = Some(has_declined(first, last));
}

/// Whether fewer jobs were done than before, by more than counts of this size differ by chance: three times their square root.
fn has_declined(first: f64, last: f64) -> bool {
    last < first * (1.0 - DECLINE) - 3.0 * first.sqrt()
}

impl Part {
    fn of(found: &[SliceSpans], number: i64, part: Duration, rss_mib: f64) -> Self {
        let spans = found.iter().find(|spans| spans.slice == number);
        let millis = |micros: Option<i64>| micros.unwrap_or_default() as f64 / 1e3;
        Self {
            from_seconds: number.unsigned_abs() * part.as_secs(),
            completed_per_second: spans.map_or(0, |spans| spans.jobs) as f64 / part.as_secs_f64(),
            p50_ms: millis(spans.map(|spans| spans.p50_micros)),
            p99_ms: millis(spans.map(|spans| spans.p99_micros)),
            rss_mib,
        }
    }

    /// For a person, in columns.
    pub(crate) fn line(&self) -> String {
        let Self { from_seconds, completed_per_second, p50_ms, p99_ms, rss_mib } = self;
        format!(
            "  from {from_seconds:>6} s {completed_per_second:>12.1}/s  p50 {p50_ms:>9.3} ms  p99 {p99_ms:>9.3} ms  {rss_mib:>8.1} MiB"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decline_is_more_than_chance() {
        assert!(has_declined(100_000.0, 90_000.0));
        assert!(!has_declined(100_000.0, 96_000.0));
        assert!(!has_declined(110.0, 80.0), "so few differ by so much");
        assert!(has_declined(110.0, 40.0));
    }
}
