//! Windlass's turn: `windlass bench drain`, which starts its own daemon and checks each job itself.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::peer::Database;
use crate::server::Server;

/// The program that is compared with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Windlass<'a> {
    pub(crate) program: &'a Path,
}

/// What is read of the object that `windlass bench drain --json` prints; it holds more.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
pub(crate) struct Drained {
    pub(crate) jobs_per_second: f64,
    /// From the start of the drain until a job was durably done, for half of them.
    pub(crate) p50_ms: f64,
    /// The same for all but one of a hundred.
    pub(crate) p99_ms: f64,
    /// Every job completed exactly once, as the database has it.
    pub(crate) verified: bool,
    /// How quickly the jobs went in before, over HTTP.
    pub(crate) filled_per_second: f64,
    /// Processor time of the daemon, without the database server's, for each job while it drained, in microseconds.
    pub(crate) daemon_cpu_us_per_job: f64,
}

impl Windlass<'_> {
    /// Drains so many jobs, in a database that `bench` makes and drops itself.
    pub(crate) async fn drain(self, database: Database, jobs: u64, server: &mut Server) -> Result<Drained> {
        let mut command = Command::new(self.program);
        command.args(["bench", "drain", "--json", "--jobs", &jobs.to_string()]);
        if database == Database::Postgres {
            command.args(["--database-url", &server.settle().await?]);
        }
        let run = command.stdin(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true).output().await;
        let run = run.with_context(|| format!("cannot run {}", self.program.display()))?;
        let said = String::from_utf8_lossy(&run.stderr);
        ensure!(run.status.success(), "windlass bench ended with {}: {}", run.status, said.trim());
        read(&String::from_utf8(run.stdout)?)
    }
}

fn read(text: &str) -> Result<Drained> {
    let drained: Drained =
        serde_json::from_str(text).context("windlass bench printed something else than its object")?;
    ensure!(drained.verified, "windlass bench found jobs that did not complete exactly once");
    ensure!(drained.jobs_per_second > 0.0, "windlass bench drained nothing");
    Ok(drained)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_is_read_whatever_else_it_holds() {
        let text = r#"{"scenario":"drain","jobs":1000,"jobs_per_second":41000.5,"daemon_cpu_us_per_job":25.5,
            "filled_per_second":80000,"p50_ms":700,"p99_ms":1400.25,"verified":true,"faults":[],"runs":[]}"#;
        let expected = Drained {
            jobs_per_second: 41000.5,
            p50_ms: 700.0,
            p99_ms: 1400.25,
            verified: true,
            filled_per_second: 80000.0,
            daemon_cpu_us_per_job: 25.5,
        };
        assert_eq!(read(text).unwrap(), expected);
    }

    #[test]
    fn a_run_that_is_not_verified_is_no_figure() {
        let text = r#"{"jobs_per_second":41000,"daemon_cpu_us_per_job":25,"filled_per_second":80000,"p50_ms":700,
            "p99_ms":1400,"verified":false}"#;
        assert!(read(text).unwrap_err().to_string().contains("exactly once"));
        assert!(read(r#"{"jobs_per_second":41000}"#).is_err());
        assert!(read("").is_err());
    }
}
