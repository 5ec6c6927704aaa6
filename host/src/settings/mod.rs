//! What the operator sets: flags over environment (`WINDLASS_*`) over `windlass.toml` over defaults, parsed once.

mod database;
mod file;
mod limits;
mod liveness;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use windlass_engine::Retention;
use windlass_model::KeepTime;
use windlass_runtime::{Limits, MemoryReuse};

use self::database::Given;

pub(crate) use self::database::Database;
pub(crate) use self::file::FileSettings;
pub(crate) use self::liveness::Liveness;

/// The flags of the daemon. Each can be given as `WINDLASS_NAME` in the environment or as `name` in `windlass.toml` too.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct ServeArgs {
    /// Where to listen [default: 127.0.0.1:7070]. Port 0 takes any free one; the line at the start says which. Only
    /// loopback addresses are taken, because there are no tokens yet.
    #[arg(long, env = "WINDLASS_LISTEN", value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where everything is kept: the database, plugins, artifacts, caches [default: windlass-data].
    #[arg(long, env = "WINDLASS_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Where the plugins are, NAME.wasm with NAME.toml beside it [default: plugins in the data directory].
    #[arg(long, env = "WINDLASS_PLUGINS", value_name = "DIR")]
    pub(crate) plugins: Option<PathBuf>,
    /// Which database holds the queue: sqlite:PATH, or postgres://USER:PASSWORD@HOST/DATABASE for many daemons on one queue
    /// [default: sqlite:windlass.db in the data directory]. A password is better given in the environment than as a flag.
    #[arg(long, env = "WINDLASS_DATABASE_URL", value_name = "URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,
    /// How many connections to PostgreSQL this daemon takes at most, 2 to 200; one of them only listens [default: 10].
    #[arg(long, env = "WINDLASS_DATABASE_CONNECTIONS", value_name = "N")]
    pub(crate) database_connections: Option<u32>,
    /// Keep nothing on a connection to PostgreSQL and do not listen there: for poolers such as PgBouncer in transaction mode.
    /// What another daemon did is then seen at the next poll [default: false].
    #[arg(
        long,
        env = "WINDLASS_DATABASE_POLL_ONLY",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub(crate) database_poll_only: Option<bool>,
    /// A file with settings [default: windlass.toml in the data directory, if it is there].
    #[arg(long, env = "WINDLASS_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Where compiled components are kept between starts [default: cache in the data directory].
    #[arg(long, env = "WINDLASS_CACHE_DIR", value_name = "DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// How many jobs run at once, 1 to 1000 [default: 64 for each processor, at most 256].
    #[arg(long, env = "WINDLASS_SLOTS", value_name = "N")]
    pub(crate) slots: Option<u32>,
    /// How often the daemon says that it is alive, in milliseconds, 100 to 300000 [default: 5000].
    #[arg(long, env = "WINDLASS_HEARTBEAT_INTERVAL_MS", value_name = "MS")]
    pub(crate) heartbeat_interval_ms: Option<u64>,
    /// How long it is believed after that before others take its jobs, in milliseconds; three heartbeats or more, the same for
    /// all daemons of a database [default: six heartbeats].
    #[arg(long, env = "WINDLASS_WORKER_TTL_MS", value_name = "MS")]
    pub(crate) worker_ttl_ms: Option<u64>,
    /// How often the daemon looks for jobs at least, whatever it is told, in milliseconds, 10 to 3600000 [default: 1000].
    #[arg(long, env = "WINDLASS_POLL_INTERVAL_MS", value_name = "MS")]
    pub(crate) poll_interval_ms: Option<u64>,
    /// How long a cancelled job may go on before it is interrupted, in milliseconds [default: 10000].
    #[arg(long, env = "WINDLASS_CANCEL_GRACE_MS", value_name = "MS")]
    pub(crate) cancel_grace_ms: Option<u64>,
    /// How long running jobs may go on when the daemon stops, in milliseconds [default: 30000].
    #[arg(long, env = "WINDLASS_SHUTDOWN_GRACE_MS", value_name = "MS")]
    pub(crate) shutdown_grace_ms: Option<u64>,
    /// How long completed jobs are kept, in milliseconds, where their queue does not say otherwise [default: 7 days].
    #[arg(long, env = "WINDLASS_KEEP_COMPLETED_MS", value_name = "MS")]
    pub(crate) keep_completed_ms: Option<u64>,
    /// The same for discarded jobs [default: 30 days].
    #[arg(long, env = "WINDLASS_KEEP_DISCARDED_MS", value_name = "MS")]
    pub(crate) keep_discarded_ms: Option<u64>,
    /// The same for cancelled jobs [default: 30 days].
    #[arg(long, env = "WINDLASS_KEEP_CANCELLED_MS", value_name = "MS")]
    pub(crate) keep_cancelled_ms: Option<u64>,
    /// How many versions of a task are kept beside the one in service and the one before it, 0 to 1000 [default: 10].
    #[arg(long, env = "WINDLASS_KEEP_VERSIONS", value_name = "N")]
    pub(crate) keep_versions: Option<u32>,
    /// How long a component may take to compile before it is refused, in milliseconds, 1000 to 3600000 [default: 120000].
    #[arg(long, env = "WINDLASS_COMPILE_TIMEOUT_MS", value_name = "MS")]
    pub(crate) compile_timeout_ms: Option<u64>,
    /// Count the instructions of guests, so that a plugin can have a limit of `fuel`. It makes every guest slower
    /// [default: false].
    #[arg(
        long,
        env = "WINDLASS_FUEL",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true"
    )]
    pub(crate) fuel: Option<bool>,
    /// Whether the memory of ended instances is kept and cleaned for the next, which makes a job cheaper: `auto` where this machine
    /// never swaps, `off` nowhere [default: auto].
    #[arg(long, env = "WINDLASS_MEMORY_REUSE", value_name = "WHEN")]
    pub(crate) memory_reuse: Option<String>,
    /// What is logged, as in RUST_LOG [default: info].
    #[arg(long, env = "WINDLASS_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
}

/// Settings, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) data_dir: PathBuf,
    pub(crate) plugins: PathBuf,
    pub(crate) database: Database,
    pub(crate) cache_dir: PathBuf,
    pub(crate) slots: u32,
    pub(crate) liveness: Liveness,
    pub(crate) poll_interval: Duration,
    pub(crate) cancel_grace: Duration,
    pub(crate) shutdown_grace: Duration,
    pub(crate) retention: Retention,
    pub(crate) keep_versions: u32,
    pub(crate) compile_timeout: Duration,
    /// What an attempt may use whose plugin does not say otherwise.
    pub(crate) limits: Limits,
    /// What no plugin may go above.
    pub(crate) ceiling: Limits,
    /// Whether instructions are counted.
    pub(crate) fuel: bool,
    /// Whether the memory of ended instances is kept for the next.
    pub(crate) memory_reuse: MemoryReuse,
}

/// Everything that is wrong with the settings, at once.
#[derive(Debug, thiserror::Error)]
#[error("the settings are not usable:\n  - {}", .0.join("\n  - "))]
pub(crate) struct SettingsFaults(pub(crate) Vec<String>);

impl Settings {
    /// Puts the flags over the file over the defaults, and names every fault.
    pub(crate) fn resolve(args: ServeArgs) -> Result<Self, SettingsFaults> {
        let given_dir = args.data_dir.clone().unwrap_or_else(|| PathBuf::from("windlass-data"));
        let mut faults = Vec::new();
        let file = FileSettings::read(args.config.as_deref(), &given_dir, &mut faults);
        Self::merge(args, file, faults)
    }

    fn merge(args: ServeArgs, file: FileSettings, mut faults: Vec<String>) -> Result<Self, SettingsFaults> {
        let data_dir = args.data_dir.or(file.data_dir).unwrap_or_else(|| PathBuf::from("windlass-data"));
        let listen = args.listen.or(file.listen).unwrap_or(SocketAddr::from(([127, 0, 0, 1], 7070)));
        if !listen.ip().is_loopback() {
            faults.push(format!(
                "listen: {listen} can be reached from other machines, and there are no tokens yet: use 127.0.0.1 or [::1]"
            ));
        }
        let slots = args.slots.or(file.slots).unwrap_or_else(default_slots);
        if !(1..=1_000).contains(&slots) {
            faults.push(format!("slots: {slots} is not between 1 and 1000"));
        }
        let poll_interval_ms = args.poll_interval_ms.or(file.poll_interval_ms).unwrap_or(1_000);
        // Below, the daemon would do little else; above, what nobody told it of would as good as never start.
        if !(10..=3_600_000).contains(&poll_interval_ms) {
            faults.push(format!("poll_interval_ms: {poll_interval_ms} is not between 10 and 3600000"));
        }
        let keep_versions = args.keep_versions.or(file.keep_versions).unwrap_or(10);
        if keep_versions > 1_000 {
            faults.push(format!("keep_versions: {keep_versions} is not between 0 and 1000"));
        }
        let compile_timeout_ms = args.compile_timeout_ms.or(file.compile_timeout_ms).unwrap_or(120_000);
        if !(1_000..=3_600_000).contains(&compile_timeout_ms) {
            faults.push(format!("compile_timeout_ms: {compile_timeout_ms} is not between 1000 and 3600000"));
        }
        let memory_reuse = match args.memory_reuse.or(file.memory_reuse).as_deref() {
            None | Some("auto") => MemoryReuse::Auto,
            Some("off") => MemoryReuse::Off,
            Some(other) => {
                faults.push(format!("memory_reuse: {other:?} is not \"auto\" or \"off\""));
                MemoryReuse::Off
            }
        };
        let database = Given {
            url: args.database_url.or(file.database_url),
            connections: args.database_connections.or(file.database_connections),
            poll_only: args.database_poll_only.or(file.database_poll_only),
        };
        let defaults = Retention::default();
        let mut keep = |name: &str, flag: Option<u64>, file: Option<u64>, default| {
            let Some(millis) = flag.or(file) else { return default };
            KeepTime::from_millis(millis).unwrap_or_else(|fault| {
                faults.push(format!("{name}: {fault}"));
                default
            })
        };
        let retention = Retention {
            completed: keep("keep_completed_ms", args.keep_completed_ms, file.keep_completed_ms, defaults.completed),
            discarded: keep("keep_discarded_ms", args.keep_discarded_ms, file.keep_discarded_ms, defaults.discarded),
            cancelled: keep("keep_cancelled_ms", args.keep_cancelled_ms, file.keep_cancelled_ms, defaults.cancelled),
        };
        let liveness = Liveness::check(
            args.heartbeat_interval_ms.or(file.heartbeat_interval_ms),
            args.worker_ttl_ms.or(file.worker_ttl_ms),
            &mut faults,
        );
        let database = database.check(&data_dir, &mut faults);
        let (limits, ceiling) = file.limits.settle(&mut faults);
        if !faults.is_empty() {
            return Err(SettingsFaults(faults));
        }
        let millis =
            |flag: Option<u64>, file: Option<u64>, default| Duration::from_millis(flag.or(file).unwrap_or(default));
        Ok(Self {
            listen,
            plugins: args.plugins.or(file.plugins).unwrap_or_else(|| data_dir.join("plugins")),
            database,
            cache_dir: args.cache_dir.or(file.cache_dir).unwrap_or_else(|| data_dir.join("cache")),
            slots,
            liveness,
            poll_interval: Duration::from_millis(poll_interval_ms),
            cancel_grace: millis(args.cancel_grace_ms, file.cancel_grace_ms, 10_000),
            shutdown_grace: millis(args.shutdown_grace_ms, file.shutdown_grace_ms, 30_000),
            retention,
            keep_versions,
            compile_timeout: Duration::from_millis(compile_timeout_ms),
            limits,
            ceiling,
            fuel: args.fuel.or(file.fuel).unwrap_or(false),
            memory_reuse,
            data_dir,
        })
    }
}

/// A slot is held until its job's end is durable, so a write to the disk serves as many jobs as there are slots: too few, and the disk
/// decides. An instance is there only while its guest runs, so slots cost next to nothing while jobs are short; 256 jobs that wait
/// hold 22 MiB of a Rust plugin. One that needs much more has a limit of `concurrency` of its own.
fn default_slots() -> u32 {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(processors.saturating_mul(64)).unwrap_or(u32::MAX).min(256)
}

/// A variable of the daemon's environment, for secrets that the operator keeps there.
#[expect(clippy::disallowed_methods, reason = "which variables there are is known when a grants file is read")]
pub(crate) fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(args: ServeArgs, text: &str) -> Vec<String> {
        let mut faults = Vec::new();
        let file = FileSettings::parse(text, "windlass.toml", &mut faults);
        Settings::merge(args, file, faults).unwrap_err().0
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let args = ServeArgs {
            listen: Some(SocketAddr::from(([0, 0, 0, 0], 80))),
            database_url: Some("postgres://u:secret@db:port/x".to_owned()),
            database_connections: Some(1),
            poll_interval_ms: Some(0),
            memory_reuse: Some("always".to_owned()),
            ..ServeArgs::default()
        };
        let faults = faults(args, "slots = \"many\"\nlisten_on = 1\n");
        assert_eq!(
            faults,
            [
                "windlass.toml: `listen_on` is not a setting; there are cache_dir, cancel_grace_ms, compile_timeout_ms, \
                 data_dir, database_connections, database_poll_only, database_url, fuel, heartbeat_interval_ms, \
                 keep_cancelled_ms, keep_completed_ms, keep_discarded_ms, keep_versions, limits, listen, memory_reuse, plugins, poll_interval_ms, shutdown_grace_ms, slots, \
                 worker_ttl_ms",
                "windlass.toml: slots: invalid type: string \"many\", expected u32",
                "listen: 0.0.0.0:80 can be reached from other machines, and there are no tokens yet: use 127.0.0.1 or [::1]",
                "poll_interval_ms: 0 is not between 10 and 3600000",
                "memory_reuse: \"always\" is not \"auto\" or \"off\"",
                "database_connections: 1 is not between 2 and 200",
                "database_url: it cannot be read: write postgres://USER:PASSWORD@HOST:PORT/DATABASE, with each special \
                 character of the password as %XX",
            ]
        );
    }

    #[test]
    fn a_flag_goes_before_the_file_and_the_file_before_the_default() {
        let mut faults = Vec::new();
        let file = FileSettings::parse("slots = 3\ndata_dir = \"there\"", "windlass.toml", &mut faults);
        let args = ServeArgs { slots: Some(7), ..ServeArgs::default() };
        let settings = Settings::merge(args, file, faults).unwrap();
        assert_eq!(settings.slots, 7);
        assert_eq!(settings.database, Database::Sqlite(PathBuf::from("there/windlass.db")));
        assert_eq!(settings.cancel_grace, Duration::from_secs(10));
    }
}
