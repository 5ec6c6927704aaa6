//! Under which conditions was measured: without them a figure says nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Serialize;

use crate::BenchError;
use crate::fleet::Fleet;
use crate::handler::HandlerFacts;
use crate::setup::Setup;

/// Under which conditions was measured.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Conditions {
    windlass: &'static str,
    /// Whether this program was built to be quick.
    build: &'static str,
    database: DatabaseFacts,
    handler: HandlerFacts,
    machine: MachineFacts,
    daemons: u16,
    /// None: the daemon's own choice.
    slots: Option<u32>,
    plugins: u16,
    /// Further flags of the daemons.
    serve_flags: Vec<String>,
    finished_before: u64,
    backlog: u64,
    /// How many jobs went into a request while it was measured; 0 if none was enqueued then.
    batch: u64,
    /// How many connections enqueued meanwhile.
    connections: u16,
}

/// The database, in its own words.
#[derive(Clone, Debug, Serialize)]
struct DatabaseFacts {
    kind: &'static str,
    /// As the database has them.
    settings: BTreeMap<String, String>,
    /// What kind of file system the data directory is on; the database's too if it is a file.
    filesystem: Option<String>,
}

/// The machine.
#[derive(Clone, Debug, Serialize)]
struct MachineFacts {
    processors: usize,
    model: Option<String>,
    memory_mib: Option<u64>,
    kernel: Option<String>,
}

/// How the jobs of a scenario come to the daemon.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) batch: u64,
    pub(crate) connections: u16,
}

impl Conditions {
    pub(crate) async fn of(setup: &Setup, fleet: &Fleet, traffic: Traffic) -> Result<Self, BenchError> {
        let settings = fleet.books.settings().await.map_err(BenchError::Books)?;
        Ok(Self {
            windlass: env!("CARGO_PKG_VERSION"),
            build: if cfg!(debug_assertions) { "debug" } else { "release" },
            database: DatabaseFacts {
                kind: if setup.server.is_some() { "postgres" } else { "sqlite" },
                settings: settings.into_iter().collect(),
                filesystem: filesystem(setup.folder()),
            },
            handler: setup.handler.facts(),
            machine: MachineFacts::read(),
            daemons: setup.common.daemons,
            slots: setup.common.slots,
            plugins: setup.common.plugins,
            serve_flags: setup.common.serve.clone(),
            finished_before: setup.common.finished,
            backlog: setup.common.backlog,
            batch: traffic.batch,
            connections: traffic.connections,
        })
    }

    /// What makes the figures worth less than they look, in words.
    pub(crate) fn doubts(&self) -> Vec<&'static str> {
        let mut doubts = Vec::new();
        if self.build == "debug" {
            doubts.push("this is a debug build, many times slower than a release");
        }
        let memory = ["tmpfs", "ramfs"];
        if self.database.kind == "sqlite"
            && self.database.filesystem.as_deref().is_some_and(|kind| memory.contains(&kind))
        {
            doubts.push("the file is in memory, where nothing is durable: name a folder on a disk with --dir");
        }
        let is = |name: &str, value: &str| self.database.settings.get(name).is_some_and(|found| found == value);
        if is("fsync", "off") || is("synchronous_commit", "off") || is("synchronous", "0") || is("synchronous", "1") {
            doubts.push("the database does not wait for the disk, so what it commits is not durable");
        }
        doubts
    }

    /// For a person, a line for each thing.
    pub(crate) fn lines(&self) -> Vec<String> {
        let settings: Vec<_> = self.database.settings.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let handler = serde_json::to_string(&self.handler).unwrap_or_default();
        let known = |fact: &Option<String>| fact.clone().unwrap_or_else(|| "unknown".to_owned());
        vec![
            format!("windlass  {} ({})", self.windlass, self.build),
            format!("database  {}: {}", self.database.kind, settings.join(" ")),
            format!("on        {}", known(&self.database.filesystem)),
            format!("handler   {handler}"),
            format!(
                "machine   {} × {}, {} MiB, {}",
                self.machine.processors,
                known(&self.machine.model),
                self.machine.memory_mib.unwrap_or_default(),
                known(&self.machine.kernel)
            ),
        ]
    }
}

impl MachineFacts {
    fn read() -> Self {
        let field = |file: &str, name: &str| {
            let text = fs::read_to_string(file).ok()?;
            let line = text.lines().find(|line| line.starts_with(name))?;
            line.split_once(':').map(|(_, value)| value.trim().to_owned())
        };
        let memory = field("/proc/meminfo", "MemTotal").and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        Self {
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            model: field("/proc/cpuinfo", "model name"),
            memory_mib: memory.map(|kibibytes| kibibytes / 1_024),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|text| text.trim().to_owned()),
        }
    }
}

/// The kind of file system of the mount that a folder is in: the longest of those that it starts with, and of two on the same place
/// the later one.
fn filesystem(folder: &Path) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    let mounts = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ').skip(1);
        Some((words.next()?, words.next()?))
    });
    let around = mounts.filter(|(place, _)| folder.starts_with(place));
    around.max_by_key(|(place, _)| place.len()).map(|(_, kind)| kind.to_owned())
}
