//! One run of one peer: started, timed by the marks that it prints, and checked by what it found in its database.

use std::fmt;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::install::Installed;
use crate::line::{self, Found, Line, Mark};
use crate::peer::{Database, Peer};
use crate::processor;
use crate::server::Server;

/// How long a peer may need for all that is not its drain: to enqueue one by one, to stop.
const BESIDES: Duration = Duration::from_secs(900);

/// What a peer is to do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task {
    pub(crate) jobs: u64,
    /// How long it may drain.
    pub(crate) patience: Duration,
    /// What every job carries, as JSON.
    pub(crate) payload: &'static str,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Outcome {
    /// Jobs that were done when the drain ended, as the database had it.
    pub(crate) done: u64,
    /// Whether those were all. Otherwise its time was over.
    pub(crate) is_complete: bool,
    /// From the start of the workers until all was durable.
    pub(crate) seconds: f64,
    pub(crate) jobs_per_second: f64,
    /// Into the database, in the largest batches that the peer recommends, or one by one where it has none.
    pub(crate) enqueued_per_second: f64,
    /// Processor time of the peer for each job that it did while it drained, in microseconds.
    pub(crate) peer_us_per_job: f64,
    /// The same of the database server, when the peer used it.
    pub(crate) server_us_per_job: Option<f64>,
}

/// What was read from the clocks at one moment.
#[derive(Debug, Clone, Copy)]
struct Moment {
    at: Instant,
    peer: Duration,
    server: Duration,
}

/// The moments of all marks, in their order.
#[derive(Debug, Default)]
struct Moments {
    marks: Vec<(Mark, Moment)>,
}

/// Runs it in a database, or in a folder, of its own.
pub(crate) async fn run(peer: &Peer, installed: &Installed, server: &mut Server, task: Task) -> Result<Outcome> {
    let folder = tempfile::Builder::new().prefix("windlass-peer-").tempdir()?;
    let mut command = Command::from(installed.command(peer.program));
    command.args(["--jobs", &task.jobs.to_string(), "--seconds", &task.patience.as_secs_f64().to_string()]);
    command.args(["--settings", peer.settings.word(), "--payload", task.payload]);
    command.arg("--built").arg(installed.folder()).arg("--folder").arg(folder.path());
    if peer.database == Database::Postgres {
        command.args(["--url", &server.create().await?]);
    }
    let ran = watched(command, server, BESIDES + task.patience).await;
    if peer.database == Database::Postgres {
        server.drop().await?;
    }
    let (moments, found) = ran?;
    outcome(task.jobs, peer.database, &moments, found)
}

/// Starts it, and lets it run for so long at most.
async fn watched(mut command: Command, server: &Server, patience: Duration) -> Result<(Moments, Found)> {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn();
    let child = child.with_context(|| format!("cannot start {command:?}"))?;
    tokio::time::timeout(patience, watch(child, server)).await.context("it did not come to an end")?
}

/// Reads what it prints until it ends.
async fn watch(mut child: Child, server: &Server) -> Result<(Moments, Found)> {
    let process = child.id().context("it has ended already")?;
    let mut lines = BufReader::new(child.stdout.take().context("it has no output")?).lines();
    let (mut moments, mut found) = (Moments::default(), None);
    while let Some(text) = lines.next_line().await? {
        let at = Instant::now();
        match line::read(&text) {
            Some(Line::Mark { mark }) => {
                let moment = Moment { at, peer: processor::used(process), server: server.used() };
                moments.marks.push((mark, moment));
            }
            Some(Line::Found(now)) => found = Some(now),
            None => eprintln!("  {text}"),
        }
    }
    let status = child.wait().await?;
    ensure!(status.success(), "it ended with {status}");
    Ok((moments, found.context("it did not say what it found")?))
}

impl Moments {
    fn of(&self, wanted: Mark) -> Result<Moment> {
        let mut found = self.marks.iter().filter(|(mark, _)| *mark == wanted);
        match (found.next(), found.next()) {
            (Some((_, moment)), None) => Ok(*moment),
            (None, _) => bail!("the mark {wanted:?} is missing"),
            (Some(_), Some(_)) => bail!("the mark {wanted:?} was printed twice"),
        }
    }
}

/// Checks that no job was lost or done twice, and works out the rates.
fn outcome(jobs: u64, database: Database, moments: &Moments, found: Found) -> Result<Outcome> {
    let Found { done, left, handled, lead } = found;
    ensure!(done + left == jobs, "{jobs} jobs went in; {done} are done and {left} are left");
    ensure!(done > 0, "it did not one job in its time: give it more with --seconds");
    if left == 0 {
        let handled = handled.unwrap_or(jobs);
        ensure!(handled == jobs, "{jobs} jobs are done, and the handler ran {handled} times");
    } else {
        ensure!(handled.is_none_or(|handled| handled >= done), "{done} jobs are done, but the handler ran less often");
    }
    let (start, end) = (moments.of(Mark::Draining)?, moments.of(Mark::Drained)?);
    let (first, last) = (moments.of(Mark::Enqueueing)?, moments.of(Mark::Enqueued)?);
    let seconds = end.at.duration_since(start.at).as_secs_f64() - lead;
    ensure!(lead >= 0.0 && seconds > 0.0, "it says that its first job came {lead} s after its start, which cannot be");
    let per_job = |from: Duration, to: Duration| to.saturating_sub(from).as_secs_f64() * 1e6 / count(done);
    Ok(Outcome {
        done,
        is_complete: left == 0,
        seconds,
        jobs_per_second: count(done) / seconds,
        enqueued_per_second: count(jobs) / last.at.duration_since(first.at).as_secs_f64(),
        peer_us_per_job: per_job(start.peer, end.peer),
        server_us_per_job: (database == Database::Postgres).then(|| per_job(start.server, end.server)),
    })
}

#[expect(clippy::cast_precision_loss, reason = "no run has so many jobs that a float does not count them one by one")]
fn count(jobs: u64) -> f64 {
    jobs as f64
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0} jobs/s", self.jobs_per_second)?;
        if !self.is_complete {
            write!(f, " ({} done when its time was over)", self.done)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Enqueued in one second, drained from the second to the fourth.
    fn moments() -> Moments {
        let start = Instant::now();
        let moment = |seconds: u64| Moment {
            at: start + Duration::from_secs(seconds),
            peer: Duration::from_millis(10 * seconds),
            server: Duration::from_millis(20 * seconds),
        };
        let marks = [(Mark::Enqueueing, 0), (Mark::Enqueued, 1), (Mark::Draining, 2), (Mark::Drained, 4)];
        Moments { marks: marks.map(|(mark, second)| (mark, moment(second))).to_vec() }
    }

    fn found(done: u64, left: u64, handled: Option<u64>) -> Found {
        Found { done, left, handled, lead: 0.0 }
    }

    fn fault(found: Found) -> String {
        outcome(1000, Database::Postgres, &moments(), found).unwrap_err().to_string()
    }

    #[test]
    fn the_rates_are_those_between_the_marks() {
        let outcome = outcome(1000, Database::Postgres, &moments(), found(1000, 0, Some(1000))).unwrap();
        let expected = Outcome {
            done: 1000,
            is_complete: true,
            seconds: 2.0,
            jobs_per_second: 500.0,
            enqueued_per_second: 1000.0,
            peer_us_per_job: 20.0,
            server_us_per_job: Some(40.0),
        };
        assert_eq!(outcome, expected);
    }

    #[test]
    fn a_peer_whose_time_was_over_is_measured_by_what_it_did() {
        let outcome = outcome(1000, Database::Sqlite, &moments(), found(100, 900, Some(103))).unwrap();
        assert_eq!((outcome.jobs_per_second, outcome.is_complete, outcome.server_us_per_job), (50.0, false, None));
        assert_eq!(outcome.to_string(), "50 jobs/s (100 done when its time was over)");
    }

    #[test]
    fn the_start_of_a_server_is_taken_off() {
        let found = Found { lead: 1.0, ..found(1000, 0, None) };
        assert_eq!(outcome(1000, Database::Sqlite, &moments(), found).unwrap().jobs_per_second, 1000.0);
        assert!(fault(Found { lead: 2.5, ..found }).contains("which cannot be"));
    }

    #[test]
    fn a_job_that_is_lost_or_done_twice_fails_the_run() {
        assert_eq!(fault(found(999, 0, Some(1000))), "1000 jobs went in; 999 are done and 0 are left");
        assert_eq!(fault(found(1000, 0, Some(1001))), "1000 jobs are done, and the handler ran 1001 times");
        assert_eq!(fault(found(10, 990, Some(9))), "10 jobs are done, but the handler ran less often");
        assert_eq!(fault(found(0, 1000, Some(0))), "it did not one job in its time: give it more with --seconds");
    }

    #[test]
    fn a_mark_that_is_missing_or_doubled_fails_the_run() {
        let mut moments = moments();
        moments.marks.push(moments.marks[3]);
        let twice = outcome(1000, Database::Postgres, &moments, found(1000, 0, None)).unwrap_err();
        assert_eq!(twice.to_string(), "the mark Drained was printed twice");
        moments.marks.truncate(3);
        let missing = outcome(1000, Database::Postgres, &moments, found(1000, 0, None)).unwrap_err();
        assert_eq!(missing.to_string(), "the mark Drained is missing");
    }
}
