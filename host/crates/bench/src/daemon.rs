//! A daemon as a process: this program, started as `serve`.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::BenchError;
use crate::client::{Call, Connection};
use crate::process::Usage;

/// How long a daemon may take to be ready, with a component that is to be compiled, or to stop.
const PATIENCE: Duration = Duration::from_secs(120);

/// How much of its log an error shows.
const LOG_SHOWN: usize = 4_000;

/// A running daemon. Killed when it is dropped.
pub(crate) struct Daemon {
    child: Child,
    log: PathBuf,
    pub(crate) address: SocketAddr,
    /// From its start until it had answered its first request.
    pub(crate) start: Duration,
}

/// How a daemon is started.
pub(crate) struct Start<'a> {
    pub(crate) data_dir: &'a Path,
    pub(crate) plugins: &'a Path,
    pub(crate) cache_dir: &'a Path,
    /// A server's database; without it the file in the data directory.
    pub(crate) database_url: Option<&'a str>,
    pub(crate) slots: Option<u32>,
    pub(crate) flags: &'a [String],
}

impl Start<'_> {
    /// Starts it, and waits until it is ready.
    pub(crate) async fn run(self) -> Result<Daemon, BenchError> {
        std::fs::create_dir_all(self.data_dir).map_err(BenchError::io(format!("make {}", self.data_dir.display())))?;
        let log = self.data_dir.join("log");
        let file = File::create(&log).map_err(BenchError::io(format!("write {}", log.display())))?;
        let mut command = self.command()?;
        let begun = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .map_err(BenchError::io("start the daemon"))?;
        let out = child.stdout.take();
        // A thread waits for the line, so that a daemon that says nothing can be given up.
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            out.map(|out| BufReader::new(out).read_line(&mut line));
            line
        });
        let said = tokio::time::timeout(PATIENCE, line).await.ok().and_then(Result::ok).unwrap_or_default();
        let address = said.trim().rsplit("//").next().and_then(|address| address.parse().ok());
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut daemon = Daemon { child, log, address: address.unwrap_or(nowhere), start: Duration::ZERO };
        if address.is_none() {
            return Err(daemon.fault("did not start"));
        }
        let answer = Connection::open(daemon.address).await?.ask(&Call::get("/healthz")).await?;
        if answer.status != 200 {
            return Err(daemon.fault(&format!("answered its first request with {}", answer.status)));
        }
        daemon.start = begun.elapsed();
        Ok(daemon)
    }

    fn command(&self) -> Result<Command, BenchError> {
        let program = std::env::current_exe().map_err(BenchError::io("find this program's file"))?;
        let mut command = Command::new(program);
        // What is measured is what the report says, whatever the environment of whoever measures sets.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("WINDLASS_") {
                command.env_remove(name);
            }
        }
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        for (flag, folder) in
            [("--data-dir", self.data_dir), ("--plugins", self.plugins), ("--cache-dir", self.cache_dir)]
        {
            command.arg(flag).arg(folder);
        }
        if let Some(url) = self.database_url {
            // Not as a flag, which everybody on the machine can read.
            command.env("WINDLASS_DATABASE_URL", url);
        }
        if let Some(slots) = self.slots {
            command.arg("--slots").arg(slots.to_string());
        }
        command.args(self.flags);
        Ok(command)
    }
}

impl Daemon {
    /// What it has used so far.
    pub(crate) fn usage(&self) -> Usage {
        Usage::of(&self.child.id().to_string()).unwrap_or_default()
    }

    /// Asks it to stop, and waits until it has. What it answered 202 to must be on the disk by then.
    pub(crate) async fn stop(mut self) -> Result<(), BenchError> {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::TERM)
            .map_err(|error| BenchError::io("stop the daemon")(error.into()))?;
        let asked = Instant::now();
        loop {
            match self.child.try_wait().map_err(BenchError::io("wait for the daemon"))? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => return Err(self.fault(&format!("ended with {status}"))),
                None if asked.elapsed() > PATIENCE => return Err(self.fault("does not stop")),
                None => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    }

    fn fault(&self, what: &str) -> BenchError {
        let log = std::fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log[log.len().saturating_sub(LOG_SHOWN)..]).into_owned();
        BenchError::Daemon { what: what.to_owned(), log }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
