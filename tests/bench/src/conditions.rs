//! What the figures were taken under.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::server::Server;

/// What must be told beside every figure.
#[derive(Debug, Serialize)]
pub(crate) struct Conditions {
    pub(crate) jobs: u64,
    pub(crate) rounds: usize,
    pub(crate) payload_bytes: usize,
    pub(crate) processor: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    /// Of the folder for temporary files, where the server and the SQLite files are.
    pub(crate) file_system: String,
    pub(crate) postgres: String,
    pub(crate) fsync: String,
    pub(crate) synchronous_commit: String,
    pub(crate) shared_buffers: String,
}

impl Conditions {
    /// Asks the machine and the server.
    pub(crate) async fn read(server: &mut Server, jobs: u64, rounds: usize, payload: &str) -> Result<Self> {
        let folder = server.folder().await?;
        let file_system = said("stat", &["--file-system", "--format=%T", &folder])?;
        if file_system == "tmpfs" {
            eprintln!("Warning: {folder} is in memory, where fsync costs nothing. Set TMPDIR to a folder on a disk.");
        }
        Ok(Self {
            jobs,
            rounds,
            payload_bytes: payload.len(),
            processor: processor(&fs::read_to_string(Path::new("/proc/cpuinfo"))?),
            cores: std::thread::available_parallelism()?.get(),
            kernel: said("uname", &["-sr"])?,
            file_system,
            postgres: server.show("server_version").await?,
            fsync: server.show("fsync").await?,
            synchronous_commit: server.show("synchronous_commit").await?,
            shared_buffers: server.show("shared_buffers").await?,
        })
    }
}

fn said(program: &str, args: &[&str]) -> Result<String> {
    let output = Command::new(program).args(args).output().with_context(|| format!("cannot run {program}"))?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The name of the first one; some platforms do not tell.
fn processor(text: &str) -> String {
    let line = text.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim());
    name.unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_named_where_the_platform_tells() {
        assert_eq!(processor("processor\t: 0\nmodel name\t: Some CPU @ 2 GHz\n"), "Some CPU @ 2 GHz");
        assert_eq!(processor("processor\t: 0\n"), "unknown");
    }
}
