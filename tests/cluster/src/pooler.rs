//! PgBouncer before a throw-away server: it hands out a server connection for each transaction, and keeps only a few.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::{Cluster, find, run_as, started, user};

/// A running PgBouncer and the server behind it. Both are gone when it is dropped.
pub struct Pooler {
    folder: TempDir,
    pooler: Child,
    _cluster: Cluster,
}

/// Where PgBouncer is, if it is installed.
pub fn pooler() -> Option<PathBuf> {
    find("pgbouncer")
}

impl Pooler {
    /// Puts a pooler in transaction mode before the server. It keeps `connections` of them for each database, and knows nothing of
    /// prepared statements: since 1.21 it can follow them from one connection to the other, which is not what is tried.
    pub fn start(cluster: Cluster, connections: u32) -> Result<Self> {
        let program = pooler().context("there is no `pgbouncer`: run `cargo xtask test`, which installs it")?;
        let folder = tempfile::Builder::new().prefix("windlass-pooler-").tempdir()?;
        let user = user()?;
        let settings = folder.path().join("pgbouncer.ini");
        let may_follow = follows_statements(&program)?;
        fs::write(
            &settings,
            format!(
                "[databases]\n* = host={} user=windlass\n\n[pgbouncer]\nlisten_addr =\nlisten_port = 6432\n\
                 unix_socket_dir = {}\nauth_type = any\npool_mode = transaction\ndefault_pool_size = {connections}\n\
                 max_client_conn = 200\n{}",
                cluster.folder.path().display(),
                folder.path().display(),
                if may_follow { "max_prepared_statements = 0\n" } else { "" },
            ),
        )?;
        if let Some((uid, gid)) = user {
            std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid))?;
        }
        let mut command = run_as(program, user, folder.path());
        command.arg(settings);
        let pooler = started(command, "process up")?;
        Ok(Self { folder, pooler, _cluster: cluster })
    }

    /// The URL of one of the databases by way of the pooler; `postgres` is always there.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://windlass@localhost:6432/{database}?host={}", self.folder.path().display())
    }
}

/// Whether it has the setting by which it follows prepared statements; an older one refuses to start with it.
fn follows_statements(program: &Path) -> Result<bool> {
    let output = Command::new(program).arg("--version").output()?;
    let said = String::from_utf8(output.stdout)?;
    let version = said.lines().next().and_then(|line| line.strip_prefix("PgBouncer "));
    let mut numbers = version.context("pgbouncer does not say its version")?.split('.').map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
        bail!("pgbouncer says an odd version: {said}");
    };
    Ok((major, minor) >= (1, 21))
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.pooler.kill();
        let _ = self.pooler.wait();
    }
}
