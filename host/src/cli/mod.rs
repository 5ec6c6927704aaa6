//! The command line: the commands that talk to a running daemon, and the names of those that do not.

pub(crate) mod client;
mod commands;
mod print;
mod queues;
mod schedules;
mod sse;
mod tasks;
mod watch;

use clap::{Args, Parser, Subcommand};
use windlass_bench::BenchArgs;

use crate::check::CheckArgs;
use crate::plugin::PluginCommand;
use crate::run::RunArgs;
use crate::settings::ServeArgs;

const EXIT_CODES: &str = "Exit codes: 0 fine, or the job completed; 1 refused or failed; 2 wrong usage; 3 the job was discarded; \
                          4 the job was cancelled; 5 the daemon cannot be reached; 130 ended by Ctrl-C.";

/// Background jobs whose handlers are sandboxed WebAssembly components.
#[derive(Parser)]
#[command(name = "windlass", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What `windlass` can be asked to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the daemon.
    Serve(ServeArgs),
    /// Say what `serve` would do with these settings.
    Check(CheckArgs),
    /// Measure how quick the daemon is here, on a database that is made for it, and check what was measured.
    Bench(BenchArgs),
    /// Look at component files, without a daemon.
    #[command(subcommand)]
    Plugin(PluginCommand),
    /// Run one job here and now, without a daemon and without a database.
    Run(RunArgs),
    /// Enqueue a job.
    Enqueue(EnqueueArgs),
    /// Follow a job until it is over. Ctrl-C ends the watching, not the job.
    Watch {
        /// The job's id.
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// List, show, cancel and retry jobs.
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// List, show, pause, resume and limit queues.
    Queues(queues::QueuesArgs),
    /// Say when a schedule would fire.
    #[command(subcommand)]
    Schedules(schedules::SchedulesCommand),
    /// List, show, upload, roll back, pin and delete tasks.
    Tasks(tasks::TasksArgs),
}

/// Where the daemon is, and how to print.
#[derive(Args, Clone, Debug)]
pub(crate) struct Connection {
    /// Where the daemon is.
    #[arg(long, env = "WINDLASS_URL", default_value = "http://127.0.0.1:7070", value_name = "URL")]
    pub(crate) url: String,
    /// Print the API's JSON; for a watch one event a line.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A job to enqueue.
#[derive(Args)]
pub(crate) struct EnqueueArgs {
    /// The task.
    pub(crate) task: String,
    /// The arguments: a JSON object, @FILE, or - for standard input.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub(crate) args: String,
    /// The queue.
    #[arg(long)]
    pub(crate) queue: Option<String>,
    /// Which job goes first: from -100 to 100, the smaller number.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) priority: Option<i64>,
    /// Start after so many milliseconds.
    #[arg(long, value_name = "MS", conflicts_with = "run_at")]
    pub(crate) delay_ms: Option<u64>,
    /// Start at this time: 2026-11-20T14:30:00Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) run_at: Option<String>,
    /// How many attempts it has.
    #[arg(long, value_name = "N")]
    pub(crate) max_attempts: Option<u32>,
    /// How long one attempt may take, in milliseconds.
    #[arg(long, value_name = "MS")]
    pub(crate) timeout_ms: Option<u64>,
    /// Discard it if it has not started after so many milliseconds.
    #[arg(long, value_name = "MS")]
    pub(crate) expires_in_ms: Option<u64>,
    /// Wait so many milliseconds after the first, second, … failed attempt: 1000,5000,60000.
    #[arg(long, value_name = "MS,…", value_delimiter = ',')]
    pub(crate) delays_ms: Vec<u64>,
    /// Jobs of a queue with the same key share its limit for each key.
    #[arg(long, value_name = "KEY")]
    pub(crate) concurrency_key: Option<String>,
    /// Enqueue nothing if a job of this task with the same key is there; without KEY the arguments are compared. The job that
    /// is there stands for this one then.
    #[arg(long, value_name = "KEY", num_args = 0..=1, default_missing_value = "")]
    pub(crate) unique: Option<String>,
    /// Start after this job has ended, and only if it completed; may be given several times.
    #[arg(long, value_name = "ID")]
    pub(crate) after: Vec<String>,
    /// A name for this request: sent again within a day it gets the same answer and enqueues nothing.
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
    /// A label; may be given several times.
    #[arg(long = "tag", value_name = "TAG")]
    pub(crate) tags: Vec<String>,
    /// Follow it until it is over.
    #[arg(long)]
    pub(crate) watch: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}

/// What can be done with jobs.
#[derive(Subcommand)]
pub(crate) enum JobsCommand {
    /// List jobs, the newest first.
    List {
        /// In this state; may be given several times.
        #[arg(long = "state", value_name = "STATE")]
        states: Vec<String>,
        /// Of this task.
        #[arg(long)]
        task: Option<String>,
        /// Of this queue.
        #[arg(long)]
        queue: Option<String>,
        /// With this tag.
        #[arg(long)]
        tag: Option<String>,
        /// How many, 1 to 500.
        #[arg(long, value_name = "N")]
        limit: Option<u16>,
        /// Where the page before ended.
        #[arg(long)]
        cursor: Option<String>,
        #[command(flatten)]
        connection: Connection,
    },
    /// Show one job.
    Show {
        /// The job's id.
        id: String,
        #[command(flatten)]
        connection: Connection,
    },
    /// Cancel a job, or all that match: at once those that wait, by way of their handlers those that run.
    Cancel(WhichJobs),
    /// Make a job, or all that match, available now, with at least one attempt left.
    Retry(WhichJobs),
}

/// One job, or all that match. For many the command returns when all of them have been done.
#[derive(Args)]
pub(crate) struct WhichJobs {
    /// The job's id.
    #[arg(required_unless_present_any = ["states", "task", "queue", "tag", "created_from", "created_before", "all"])]
    pub(crate) id: Option<String>,
    /// Those in this state; may be given several times.
    #[arg(long = "state", value_name = "STATE", conflicts_with = "id")]
    pub(crate) states: Vec<String>,
    /// Those of this task.
    #[arg(long, conflicts_with = "id")]
    pub(crate) task: Option<String>,
    /// Those of this queue.
    #[arg(long, conflicts_with = "id")]
    pub(crate) queue: Option<String>,
    /// Those with this tag.
    #[arg(long, conflicts_with = "id")]
    pub(crate) tag: Option<String>,
    /// Those enqueued at this time or later: 2026-11-20T14:30:00Z.
    #[arg(long, value_name = "TIME", conflicts_with = "id")]
    pub(crate) created_from: Option<String>,
    /// Those enqueued before this time.
    #[arg(long, value_name = "TIME", conflicts_with = "id")]
    pub(crate) created_before: Option<String>,
    /// All jobs.
    #[arg(long, conflicts_with_all = ["id", "states", "task", "queue", "tag", "created_from", "created_before"])]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) connection: Connection,
}
