//! `windlass.toml`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::limits::LimitTables;

/// What the file sets. Each key is that of the flag, with `_` for `-`.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileSettings {
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) plugins: Option<PathBuf>,
    pub(crate) database_url: Option<String>,
    pub(crate) database_connections: Option<u32>,
    pub(crate) database_poll_only: Option<bool>,
    pub(crate) cache_dir: Option<PathBuf>,
    pub(crate) slots: Option<u32>,
    pub(crate) heartbeat_interval_ms: Option<u64>,
    pub(crate) worker_ttl_ms: Option<u64>,
    pub(crate) poll_interval_ms: Option<u64>,
    pub(crate) cancel_grace_ms: Option<u64>,
    pub(crate) shutdown_grace_ms: Option<u64>,
    pub(crate) keep_completed_ms: Option<u64>,
    pub(crate) keep_discarded_ms: Option<u64>,
    pub(crate) keep_versions: Option<u32>,
    pub(crate) compile_timeout_ms: Option<u64>,
    pub(crate) keep_cancelled_ms: Option<u64>,
    pub(crate) fuel: Option<bool>,
    pub(crate) memory_reuse: Option<String>,
    pub(crate) limits: LimitTables,
}

const KEYS: [&str; 21] = [
    "cache_dir",
    "cancel_grace_ms",
    "compile_timeout_ms",
    "data_dir",
    "database_connections",
    "database_poll_only",
    "database_url",
    "fuel",
    "heartbeat_interval_ms",
    "keep_cancelled_ms",
    "keep_completed_ms",
    "keep_discarded_ms",
    "keep_versions",
    "limits",
    "listen",
    "memory_reuse",
    "plugins",
    "poll_interval_ms",
    "shutdown_grace_ms",
    "slots",
    "worker_ttl_ms",
];

impl FileSettings {
    /// Reads the named file, or `windlass.toml` in the data directory if it is there.
    pub(crate) fn read(named: Option<&Path>, data_dir: &Path, faults: &mut Vec<String>) -> Self {
        let path = named.map_or_else(|| data_dir.join("windlass.toml"), Path::to_owned);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text, &path.display().to_string(), faults),
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => Self::default(),
            Err(error) => {
                faults.push(format!("config: cannot read {}: {error}", path.display()));
                Self::default()
            }
        }
    }

    /// Takes each key by itself, so that one fault does not hide the next.
    pub(crate) fn parse(text: &str, name: &str, faults: &mut Vec<String>) -> Self {
        let table: toml::Table = match text.parse() {
            Ok(table) => table,
            Err(error) => {
                faults.push(format!("{name}: this is not TOML: {}", error.message()));
                return Self::default();
            }
        };
        for key in table.keys().filter(|key| !KEYS.contains(&key.as_str())) {
            faults.push(format!("{name}: `{key}` is not a setting; there are {}", KEYS.join(", ")));
        }
        Self {
            listen: take(&table, "listen", name, faults),
            data_dir: take(&table, "data_dir", name, faults),
            plugins: take(&table, "plugins", name, faults),
            database_url: take(&table, "database_url", name, faults),
            database_connections: take(&table, "database_connections", name, faults),
            database_poll_only: take(&table, "database_poll_only", name, faults),
            cache_dir: take(&table, "cache_dir", name, faults),
            slots: take(&table, "slots", name, faults),
            heartbeat_interval_ms: take(&table, "heartbeat_interval_ms", name, faults),
            worker_ttl_ms: take(&table, "worker_ttl_ms", name, faults),
            poll_interval_ms: take(&table, "poll_interval_ms", name, faults),
            cancel_grace_ms: take(&table, "cancel_grace_ms", name, faults),
            shutdown_grace_ms: take(&table, "shutdown_grace_ms", name, faults),
            keep_completed_ms: take(&table, "keep_completed_ms", name, faults),
            keep_discarded_ms: take(&table, "keep_discarded_ms", name, faults),
            keep_versions: take(&table, "keep_versions", name, faults),
            compile_timeout_ms: take(&table, "compile_timeout_ms", name, faults),
            keep_cancelled_ms: take(&table, "keep_cancelled_ms", name, faults),
            fuel: take(&table, "fuel", name, faults),
            memory_reuse: take(&table, "memory_reuse", name, faults),
            limits: LimitTables::parse(table.get("limits"), name, faults),
        }
    }
}

fn take<T: DeserializeOwned>(table: &toml::Table, key: &str, name: &str, faults: &mut Vec<String>) -> Option<T> {
    match table.get(key)?.clone().try_into() {
        Ok(value) => Some(value),
        Err(error) => {
            faults.push(format!("{name}: {key}: {}", error.message()));
            None
        }
    }
}
