//! The disk under the SQLite file is full for a while. What cannot be kept is refused in clear words, what was acknowledged stays,
//! and once there is room it goes on by itself.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::round::World;

/// Room for the jobs of a long run and their log before it is written back.
const SIZE: &str = "size=96m";

/// How long it may take until enqueues are taken again once there is room.
const RECOVERED: Duration = Duration::from_secs(15);

/// Where a SQLite file lies.
pub(crate) struct Place {
    folder: PathBuf,
    is_mounted: bool,
}

impl Place {
    pub(crate) fn beside(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), is_mounted: false }
    }

    /// A small disk of its own, in memory.
    pub(crate) fn small_disk(folder: &Path) -> Result<Self> {
        let folder = folder.join("disk");
        fs::create_dir(&folder)?;
        let output = Command::new("mount").args(["-t", "tmpfs", "-o", SIZE, "tmpfs"]).arg(&folder).output()?;
        if !output.status.success() {
            bail!("a tmpfs cannot be mounted here: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(Self { folder, is_mounted: true })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.is_mounted {
            // Lazily: a daemon that is about to die may have files open.
            let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
        }
    }
}

pub(crate) async fn hurt(world: &mut World, place: &Path) -> Result<()> {
    let filler = place.join("filler");
    for _ in 0..world.times(2, 6) {
        world.pass(300..900).await;
        let bytes = fill(&filler)?;
        let refused = refusals(world);
        let start = Instant::now();
        // The log of the database may have room of its own left; it is used up soon.
        while refusals(world) == refused && start.elapsed() < RECOVERED {
            fill(&filler)?;
            world.pass(50..100).await;
        }
        world.pass(500..1_500).await;
        if refusals(world) == refused {
            world.broken.push("the harness itself: the full disk was not noticed".to_owned());
        }
        fs::remove_file(&filler).context("cannot make room")?;
        let taken = world.ledger.acknowledged_count();
        let start = Instant::now();
        while world.ledger.acknowledged_count() == taken && start.elapsed() < RECOVERED {
            world.pass(20..50).await;
        }
        world.fleet.look_after()?;
        match world.ledger.acknowledged_count() > taken {
            true => world.notes.push(format!("full by {} KiB, back after {:?}", bytes >> 10, start.elapsed())),
            false => world.broken.push(format!("there is room again, and nothing was taken for {RECOVERED:?}")),
        }
    }
    let unclear: Vec<_> = world.ledger.answers().into_keys().filter(|answer| is_unclear(answer)).collect();
    if !unclear.is_empty() {
        world.broken.push(format!("a full disk was answered with {unclear:?}"));
    }
    Ok(())
}

/// Takes all the room there is, and says how much that was.
fn fill(path: &Path) -> Result<u64> {
    let mut file = fs::OpenOptions::new().create(true).append(true).open(path)?;
    let mut bytes = 0;
    for size in [1 << 20, 4096, 1] {
        let block = vec![0; size];
        while let Ok(written) = file.write(&block) {
            bytes += written as u64;
        }
    }
    Ok(bytes)
}

fn refusals(world: &World) -> u32 {
    world.ledger.answers().iter().filter(|(answer, _)| answer.starts_with('5')).map(|(_, count)| count).sum()
}

fn is_unclear(answer: &str) -> bool {
    !["202", "503 database_unavailable", "503 overloaded"].contains(&answer)
}
