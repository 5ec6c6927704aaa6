//! A throw-away PostgreSQL server: `initdb` in a temporary folder, reached by a socket in it, gone when it is dropped.

#[cfg(feature = "database")]
mod database;
mod old;
mod pooler;

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

#[cfg(feature = "database")]
pub use self::database::Database;
pub use self::old::old_server;
pub use self::pooler::{Pooler, pooler};

/// The variable that names a server to use in place of a throw-away one, as a URL of a superuser.
pub const URL: &str = "WINDLASS_TEST_POSTGRES_URL";

/// The server that the environment names, if it does.
#[expect(clippy::disallowed_methods, reason = "what a test runs against is not a setting of the daemon")]
pub fn given() -> Option<String> {
    std::env::var(URL).ok()
}

/// A running server. Stopped, and its files removed, when it is dropped.
pub struct Cluster {
    folder: TempDir,
    settings: Vec<String>,
    user: Option<(u32, u32)>,
    server: Child,
}

impl Cluster {
    /// Makes a cluster and starts it. `settings` are as in `postgresql.conf`.
    ///
    /// Without `fsync`, because what tests try is not whether the disk keeps its word, and a run takes a fraction of the time.
    /// Killing the server's processes loses nothing: the system still has what they wrote.
    pub fn start(settings: &[&str]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("windlass-pg-").tempdir()?;
        let user = user()?;
        if let Some((uid, gid)) = user {
            std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid))?;
        }
        let data = folder.path().join("data");
        let output = command("initdb", user, folder.path())?
            .args(["-U", "windlass", "-A", "trust", "--no-sync", "--encoding=UTF8", "--locale=C", "-D"])
            .arg(&data)
            .output()
            .context("cannot start initdb")?;
        ensure!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        let settings: Vec<_> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let server = serve(folder.path(), user, &settings)?;
        Ok(Self { folder, settings, user, server })
    }

    /// The URL of one of its databases; `postgres` is always there.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://windlass@localhost/{database}?host={}", self.folder.path().display())
    }

    /// Ends the server at once, as a crash of its host would, and waits until it is gone.
    pub fn kill(&mut self) -> Result<()> {
        // SIGQUIT: immediate shutdown. Its children go with it, which SIGKILL would leave behind.
        signal(&self.server, "QUIT")?;
        self.server.wait()?;
        Ok(())
    }

    /// Starts the server again with the same files.
    pub fn start_again(&mut self) -> Result<()> {
        self.server = serve(self.folder.path(), self.user, &self.settings)?;
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// The server refuses to run as root; then it runs as the user that its package made.
fn user() -> Result<Option<(u32, u32)>> {
    if number(&["-u"])? != 0 {
        return Ok(None);
    }
    let missing = "PostgreSQL does not run as root, and there is no user `postgres`";
    Ok(Some((number(&["-u", "postgres"]).context(missing)?, number(&["-g", "postgres"]).context(missing)?)))
}

fn number(args: &[&str]) -> Result<u32> {
    let output = Command::new("id").args(args).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

fn command(program: &str, user: Option<(u32, u32)>, folder: &Path) -> Result<Command> {
    let Some(path) = find(program) else {
        bail!("there is no `{program}`: install PostgreSQL 15 or later, or set {URL} to a server of your own");
    };
    Ok(run_as(path, user, folder))
}

fn run_as(program: PathBuf, user: Option<(u32, u32)>, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}

/// Where a program of the server, or before it, is. Debian keeps them out of the path: the server's in a folder for each version,
/// the pooler where only root looks.
fn find(program: &str) -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "the search path is the caller's, not a setting of ours")]
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<_> = versions.map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    let found = std::env::split_paths(&path).chain(versions.into_iter().rev()).chain([PathBuf::from("/usr/sbin")]);
    found.map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn serve(folder: &Path, user: Option<(u32, u32)>, settings: &[String]) -> Result<Child> {
    let mut command = command("postgres", user, folder)?;
    command.arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
    for setting in ["listen_addresses=", "fsync=off", "max_connections=200"] {
        command.args(["-c", setting]);
    }
    for setting in settings {
        command.args(["-c", setting]);
    }
    started(command, "database system is ready to accept connections")
}

/// Starts a program, and waits until its log says that it is there.
fn started(mut command: Command, word: &str) -> Result<Child> {
    let name = command.get_program().to_string_lossy().into_owned();
    let spawned = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut server = spawned.with_context(|| format!("cannot start {name}"))?;
    let log = server.stderr.take().with_context(|| format!("{name} has no log"))?;
    let mut log = BufReader::new(log);
    let mut said = String::new();
    loop {
        let start = said.len();
        if log.read_line(&mut said)? == 0 {
            bail!("{name} did not start: {said}");
        }
        if said[start..].contains(word) {
            break;
        }
    }
    // It would stop at a full pipe.
    std::thread::spawn(move || {
        let mut rest = [0; 4096];
        while log.read(&mut rest).is_ok_and(|bytes| bytes > 0) {}
    });
    Ok(server)
}

fn signal(server: &Child, name: &str) -> Result<()> {
    let status = Command::new("kill").args(["-s", name, &server.id().to_string()]).status()?;
    ensure!(status.success(), "cannot send SIG{name} to postgres");
    Ok(())
}
