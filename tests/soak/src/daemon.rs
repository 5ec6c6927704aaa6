//! The daemon as a process, and what it holds of the machine.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// A daemon in a folder of its own. Killed when it is dropped.
pub(crate) struct Daemon {
    child: Child,
    folder: TempDir,
    pub(crate) url: String,
}

/// What a process holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    pub(crate) resident_kib: u64,
    pub(crate) threads: u64,
    pub(crate) files: u64,
}

impl Daemon {
    /// Starts it with `hello` and with all hostile plugins that load.
    pub(crate) fn start(binary: &Path, built: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let plugins = folder.path().join("plugins");
        fs::create_dir_all(&plugins)?;
        fs::copy(built.join("plugins/hello.wasm"), plugins.join("hello.wasm"))?;
        // What it could ask for must be refused by its grants, or it does not load.
        fs::write(plugins.join("fork.toml"), "enqueue = []\n")?;
        for (name, ..) in crate::load::HOSTILE {
            let file = format!("{name}.wasm");
            fs::copy(built.join("guests/hostile").join(&file), plugins.join(&file))
                .with_context(|| format!("there is no hostile plugin {name}: run `cargo xtask plugins`"))?;
        }
        let log = fs::File::create(folder.path().join("log"))?;
        let mut child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--slots", "8", "--log", "warn", "--data-dir"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", binary.display()))?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("the daemon has no output")?).read_line(&mut line)?;
        let url = line.trim().rsplit(' ').next().unwrap_or_default().to_owned();
        if !url.starts_with("http://") {
            let _ = child.kill();
            bail!("the daemon did not start: {}", fs::read_to_string(folder.path().join("log"))?);
        }
        Ok(Self { child, folder, url })
    }

    /// The folder of its plugins.
    pub(crate) fn plugins(&self) -> PathBuf {
        self.folder.path().join("plugins")
    }

    /// What it holds now.
    pub(crate) fn held(&self) -> Result<Held> {
        let process = PathBuf::from(format!("/proc/{}", self.child.id()));
        let status = fs::read_to_string(process.join("status")).context("the daemon is gone")?;
        let number = |name: &str| -> Result<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
            Ok(line.split_whitespace().next().unwrap_or_default().parse()?)
        };
        let files = fs::read_dir(process.join("fd"))?.count() as u64;
        Ok(Held { resident_kib: number("VmRSS:")?, threads: number("Threads:")?, files })
    }

    /// Asks it to stop, and says whether it did so in good order.
    pub(crate) fn stop(&mut self) -> Result<bool> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        Ok(self.child.wait()?.success())
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

impl Held {
    pub(crate) fn mebibytes(self) -> f64 {
        self.resident_kib as f64 / 1_024.0
    }
}
