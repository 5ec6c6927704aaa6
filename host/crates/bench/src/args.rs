//! The flags.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::BenchError;

/// `windlass bench`.
#[derive(Clone, Debug, Args)]
pub struct BenchArgs {
    /// What is measured.
    #[command(subcommand)]
    pub scenario: Scenario,
}

/// What is measured.
#[derive(Clone, Debug, Subcommand)]
pub enum Scenario {
    /// So many queued jobs: how long until all of them are durably done.
    Drain(DrainArgs),
    /// Jobs enqueued over HTTP as quickly as the daemon takes them, and run meanwhile.
    EndToEnd(EndToEndArgs),
    /// One job at a time: how long from the request until it is known to have completed, idle and at half load.
    Latency(LatencyArgs),
    /// A mixed load for long at the same rate: whether memory grows or throughput declines.
    Soak(SoakArgs),
}

/// The flags of every scenario.
#[derive(Clone, Debug, Args)]
pub struct Common {
    /// Measure on this PostgreSQL server, in databases that are made for it and dropped afterwards: the user must have the right
    /// CREATEDB. Without it a SQLite file is measured. A password is better kept in ~/.pgpass than written here.
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// How many jobs a daemon runs at once [default: the daemon's own].
    #[arg(long, value_name = "N")]
    pub slots: Option<u32>,
    /// How many daemons share the database; more than one need PostgreSQL.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub daemons: u16,
    /// The component [default: noop.wasm in `plugins` beside the program or beside its folder]. Its grants file is taken too.
    #[arg(long, value_name = "FILE")]
    pub plugin: Option<PathBuf>,
    /// The arguments of each job, as JSON [default: an order of about 200 bytes, which noop understands].
    #[arg(long, value_name = "JSON")]
    pub args: Option<String>,
    /// How many plugins the daemon serves, the component among them: how long it takes to start depends on that.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub plugins: u16,
    /// So many jobs have completed, and are kept, before a run begins.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub finished: u64,
    /// So many jobs wait in another queue, behind those that are measured.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub backlog: u64,
    /// How many runs; each begins with a database of its own, and what is told is the median.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub runs: u16,
    /// Where the daemon's data directory is made [default: the system's folder for temporary files]. A commit waits for the disk
    /// under it, so it should be the disk that you mean.
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Print one JSON object on standard output; what goes on is told on standard error.
    #[arg(long)]
    pub json: bool,
    /// Leave the databases and data directories where they are, and say where.
    #[arg(long)]
    pub keep: bool,
    /// Further flags of `windlass serve`, behind `--`.
    #[arg(last = true, value_name = "FLAG")]
    pub serve: Vec<String>,
}

/// The flags of `drain`.
#[derive(Clone, Debug, Args)]
pub struct DrainArgs {
    /// How many jobs.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub jobs: u64,
    /// The flags of every scenario.
    #[command(flatten)]
    pub common: Common,
}

/// The flags of `end-to-end`.
#[derive(Clone, Debug, Args)]
pub struct EndToEndArgs {
    /// How many jobs.
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub jobs: u64,
    /// How many connections, each with one request at a time.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub connections: u16,
    /// How many jobs go into a request; 1 takes `POST /jobs`, more `POST /jobs/batch`.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub batch: u32,
    /// The flags of every scenario.
    #[command(flatten)]
    pub common: Common,
}

/// The flags of `latency`.
#[derive(Clone, Debug, Args)]
pub struct LatencyArgs {
    /// How many jobs idle, and as many at half load.
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    pub jobs: u64,
    /// How many connections make the load.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub connections: u16,
    /// How many jobs a second the load has [default: half of what the daemon was just measured to do].
    #[arg(long, value_name = "N")]
    pub rate: Option<u64>,
    /// The flags of every scenario.
    #[command(flatten)]
    pub common: Common,
}

/// The flags of `soak`.
#[derive(Clone, Debug, Args)]
pub struct SoakArgs {
    /// How long.
    #[arg(long, value_name = "N", default_value_t = 600)]
    pub seconds: u64,
    /// How many jobs a second [default: half of what the daemon was just measured to do].
    #[arg(long, value_name = "N")]
    pub rate: Option<u64>,
    /// How many connections.
    #[arg(long, value_name = "N", default_value_t = 64)]
    pub connections: u16,
    /// The flags of every scenario.
    #[command(flatten)]
    pub common: Common,
}

/// The most jobs that the daemon takes in one request.
const BATCH_MAX: u32 = 10_000;

impl Scenario {
    /// The flags of every scenario.
    #[must_use]
    pub const fn common(&self) -> &Common {
        match self {
            Self::Drain(args) => &args.common,
            Self::EndToEnd(args) => &args.common,
            Self::Latency(args) => &args.common,
            Self::Soak(args) => &args.common,
        }
    }

    /// Its name, as on the command line.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Drain(_) => "drain",
            Self::EndToEnd(_) => "end-to-end",
            Self::Latency(_) => "latency",
            Self::Soak(_) => "soak",
        }
    }

    /// Whether each flag has a value that can be measured with; the daemon checks its own.
    pub(crate) fn check(&self) -> Result<(), BenchError> {
        self.common().check()?;
        match self {
            Self::Drain(DrainArgs { jobs, .. }) => at_least_one("--jobs", *jobs),
            Self::EndToEnd(EndToEndArgs { jobs, connections, batch, .. }) => {
                at_least_one("--jobs", *jobs)?;
                at_least_one("--connections", (*connections).into())?;
                at_least_one("--batch", (*batch).into())?;
                demand(*batch <= BATCH_MAX, "--batch", || format!("{batch} is more than a request takes, {BATCH_MAX}"))
            }
            Self::Latency(LatencyArgs { jobs, connections, rate, .. }) => {
                at_least_one("--jobs", *jobs)?;
                at_least_one("--connections", (*connections).into())?;
                at_least_one("--rate", rate.unwrap_or(1))
            }
            Self::Soak(SoakArgs { seconds, connections, rate, .. }) => {
                at_least_one("--seconds", *seconds)?;
                at_least_one("--connections", (*connections).into())?;
                at_least_one("--rate", rate.unwrap_or(1))
            }
        }
    }
}

impl Common {
    fn check(&self) -> Result<(), BenchError> {
        at_least_one("--runs", self.runs.into())?;
        at_least_one("--daemons", self.daemons.into())?;
        at_least_one("--plugins", self.plugins.into())?;
        demand(self.daemons == 1 || self.database_url.is_some(), "--daemons", || {
            "a SQLite file has one daemon: name a PostgreSQL server with --database-url".to_owned()
        })?;
        // What the rest of a URL is, the driver knows; it does not look at the start, and a URL is never repeated.
        let is_postgres = |url: &String| ["postgres://", "postgresql://"].iter().any(|start| url.starts_with(start));
        demand(self.database_url.as_ref().is_none_or(is_postgres), "--database-url", || {
            "it does not start with postgres://; without it a SQLite file is measured".to_owned()
        })?;
        if let Some(args) = &self.args {
            let parsed: Result<serde_json::Value, _> = serde_json::from_str(args);
            let fault = parsed.err().map(|error| format!("it is not JSON: {error}"));
            demand(fault.is_none(), "--args", || fault.unwrap_or_default())?;
        }
        demand(self.args.is_none() || self.plugin.is_some(), "--args", || {
            "noop takes its own arguments: name a component with --plugin too".to_owned()
        })
    }
}

fn at_least_one(flag: &'static str, value: u64) -> Result<(), BenchError> {
    demand(value > 0, flag, || "0 measures nothing: give 1 or more".to_owned())
}

fn demand(holds: bool, flag: &'static str, fault: impl FnOnce() -> String) -> Result<(), BenchError> {
    if holds { Ok(()) } else { Err(BenchError::Flag { flag, fault: fault() }) }
}
