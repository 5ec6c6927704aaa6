//! Daemons as processes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How long a daemon may take to start, and to stop.
const PATIENCE: Duration = Duration::from_secs(30);

/// The addresses of the daemons that are up, for those who enqueue.
pub(crate) type Addresses = Arc<RwLock<Vec<Option<String>>>>;

/// How a daemon is started.
#[derive(Clone, Debug)]
pub(crate) struct Recipe {
    pub(crate) binary: PathBuf,
    pub(crate) guest: PathBuf,
    /// The folder of the ledger, granted to the guest.
    pub(crate) ledger: PathBuf,
    /// Where compiled components are kept over rounds.
    pub(crate) cache: PathBuf,
    pub(crate) database_url: String,
    pub(crate) flags: Vec<String>,
    pub(crate) environment: Vec<(String, String)>,
}

/// Several daemons on one database.
pub(crate) struct Fleet {
    recipe: Recipe,
    daemons: Vec<Daemon>,
    addresses: Addresses,
    pub(crate) kills: u32,
    pub(crate) starts: u32,
    /// What a daemon did that nobody made it do.
    pub(crate) surprises: Vec<String>,
}

struct Daemon {
    folder: PathBuf,
    child: Option<Child>,
}

impl Fleet {
    /// Starts so many daemons, each with a data directory of its own.
    pub(crate) fn start(recipe: Recipe, folder: &Path, count: usize) -> Result<Self> {
        let mut daemons = Vec::new();
        for number in 0..count {
            let folder = folder.join(format!("daemon-{number}"));
            fs::create_dir_all(folder.join("plugins"))?;
            fs::copy(&recipe.guest, folder.join("plugins/probe.wasm"))?;
            let grants = format!(
                "enqueue = []\n[[directory]]\nhost = \"{}\"\nguest = \"/ledger\"\nmode = \"write\"\n",
                recipe.ledger.display()
            );
            fs::write(folder.join("plugins/probe.toml"), grants)?;
            daemons.push(Daemon { folder, child: None });
        }
        let addresses = Arc::new(RwLock::new(vec![None; count]));
        let mut fleet = Self { recipe, daemons, addresses, kills: 0, starts: 0, surprises: Vec::new() };
        for number in 0..count {
            fleet.start_one(number, &[])?;
        }
        Ok(fleet)
    }

    pub(crate) fn len(&self) -> usize {
        self.daemons.len()
    }

    pub(crate) fn addresses(&self) -> Addresses {
        self.addresses.clone()
    }

    /// The address of one that is up.
    pub(crate) fn address(&self) -> Result<String> {
        let addresses = self.addresses.read().unwrap_or_else(PoisonError::into_inner);
        addresses.iter().flatten().next().cloned().context("no daemon is up")
    }

    /// Starts one that is down, with more of an environment.
    pub(crate) fn start_one(&mut self, number: usize, environment: &[(&str, String)]) -> Result<()> {
        let daemon = &mut self.daemons[number];
        ensure!(daemon.child.is_none(), "daemon {number} is up already");
        let log = fs::OpenOptions::new().create(true).append(true).open(daemon.folder.join("log"))?;
        let mut child = Command::new(&self.recipe.binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--database-url", &self.recipe.database_url, "--data-dir"])
            .arg(&daemon.folder)
            .arg("--cache-dir")
            .arg(&self.recipe.cache)
            .args(&self.recipe.flags)
            .envs(self.recipe.environment.iter().cloned())
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("cannot start a daemon")?;
        self.starts += 1;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("the daemon has no output")?).read_line(&mut line)?;
        daemon.child = Some(child);
        // One that was armed may die before it is ready; then it has no address, and `wait_for_death` finds it.
        let url = line.trim().rsplit(' ').next().filter(|word| word.starts_with("http://")).map(str::to_owned);
        if url.is_none() && environment.is_empty() {
            bail!("daemon {number} did not start; see its log in {}", daemon.folder.display());
        }
        self.set_address(number, url);
        Ok(())
    }

    /// Starts every daemon that is down.
    pub(crate) fn start_all(&mut self) -> Result<()> {
        for number in 0..self.len() {
            if self.daemons[number].child.is_none() {
                self.start_one(number, &[])?;
            }
        }
        Ok(())
    }

    /// Kills one as a power cut would.
    pub(crate) fn kill(&mut self, number: usize) -> Result<()> {
        self.set_address(number, None);
        if let Some(mut child) = self.daemons[number].child.take() {
            child.kill()?;
            child.wait()?;
            self.kills += 1;
        }
        Ok(())
    }

    /// Waits until an armed one has died by itself. Returns false if it has not, after a while.
    pub(crate) async fn wait_for_death(&mut self, number: usize, patience: Duration) -> Result<bool> {
        let start = Instant::now();
        while start.elapsed() < patience {
            let Some(child) = &mut self.daemons[number].child else { return Ok(true) };
            if child.try_wait()?.is_some() {
                self.daemons[number].child = None;
                self.set_address(number, None);
                self.kills += 1;
                return Ok(true);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(false)
    }

    /// Sends a signal by its name: `STOP`, `CONT`, `TERM`.
    pub(crate) fn signal(&self, number: usize, name: &str) -> Result<()> {
        let Some(child) = &self.daemons[number].child else { return Ok(()) };
        let status = Command::new("kill").args(["-s", name, &child.id().to_string()]).status()?;
        ensure!(status.success(), "cannot send SIG{name} to daemon {number}");
        Ok(())
    }

    /// Looks for daemons that died though nobody killed them, and starts them again.
    pub(crate) fn look_after(&mut self) -> Result<()> {
        for number in 0..self.len() {
            let Some(child) = &mut self.daemons[number].child else { continue };
            if let Some(status) = child.try_wait()? {
                self.surprises.push(format!("daemon {number} ended by itself: {status}"));
                self.daemons[number].child = None;
                self.set_address(number, None);
                self.start_one(number, &[])?;
            }
        }
        Ok(())
    }

    /// Asks all to stop, and notes each that does not do so in good order.
    pub(crate) fn stop(&mut self) -> Result<()> {
        for number in 0..self.len() {
            self.set_address(number, None);
            self.signal(number, "TERM")?;
        }
        let start = Instant::now();
        for (number, daemon) in self.daemons.iter_mut().enumerate() {
            let Some(mut child) = daemon.child.take() else { continue };
            while child.try_wait()?.is_none() && start.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(10));
            }
            match child.try_wait()? {
                Some(status) if status.success() => (),
                Some(status) => self.surprises.push(format!("daemon {number} did not stop in good order: {status}")),
                None => {
                    self.surprises.push(format!("daemon {number} did not stop within {PATIENCE:?}"));
                    child.kill()?;
                    child.wait()?;
                }
            }
        }
        Ok(())
    }

    /// The lines of all logs that hold a word, each with its daemon.
    pub(crate) fn log_lines(&self, word: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (number, daemon) in self.daemons.iter().enumerate() {
            let log = fs::read_to_string(daemon.folder.join("log")).unwrap_or_default();
            found.extend(log.lines().filter(|line| line.contains(word)).map(|line| format!("daemon {number}: {line}")));
        }
        found
    }

    fn set_address(&self, number: usize, url: Option<String>) {
        self.addresses.write().unwrap_or_else(PoisonError::into_inner)[number] = url;
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for child in self.daemons.iter_mut().filter_map(|daemon| daemon.child.as_mut()) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
