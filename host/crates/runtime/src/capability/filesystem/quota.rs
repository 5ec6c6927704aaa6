//! How much a directory tree may hold, kept while guests write to it.
//!
//! What is written is counted up, and never down: the count is an upper bound. When it reaches the quota the tree is measured,
//! and the count begins anew from there. So nothing is measured for a guest that stays far below, and one at its quota
//! that deletes and writes gets what it freed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::meter::{Refusal, Usage};

/// What a file or a folder costs beside its content: its entry, its inode, the end of its last block.
const ENTRY_COST: u64 = 4 * 1_024;

/// How long a measurement is believed though others may have deleted something since.
const FRESH: Duration = Duration::from_secs(1);

/// The quota of one tree, and how much of it is used.
#[derive(Debug)]
pub(crate) struct Quota {
    root: PathBuf,
    max_bytes: u64,
    max_entries: Option<u64>,
    entry_cost: u64,
    /// What it is called when there is no more room.
    full: Refusal,
    used: Mutex<Used>,
    /// Whether something may have become smaller since the last measurement.
    is_stale: AtomicBool,
    /// Files that are open for writing. One that was removed is in no folder and still takes room.
    open: Mutex<Vec<Weak<File>>>,
}

#[derive(Debug, Default)]
struct Used {
    bytes: u64,
    entries: u64,
    /// Promised to writes that go on: a measurement may not see them yet.
    pending: u64,
    /// When the tree was measured last, and how long that took.
    measured: Option<(Instant, Duration)>,
}

impl Quota {
    /// The quota of a tree where each entry costs something.
    pub(crate) fn of_tree(root: &Path, max_bytes: u64, full: Refusal) -> Self {
        Self::new(root, max_bytes, None, ENTRY_COST, full)
    }

    /// The quota of `/out`, where content and entries are counted apart.
    pub(crate) fn of_out(root: &Path, max_bytes: u64, max_entries: u64) -> Self {
        Self::new(root, max_bytes, Some(max_entries), 0, Refusal::ArtifactBytes)
    }

    fn new(root: &Path, max_bytes: u64, max_entries: Option<u64>, entry_cost: u64, full: Refusal) -> Self {
        let (used, is_stale, open) = (Mutex::default(), AtomicBool::new(false), Mutex::default());
        Self { root: root.to_path_buf(), max_bytes, max_entries, entry_cost, full, used, is_stale, open }
    }

    /// Does what makes a file larger by so many bytes, if there is room. Blocks.
    pub(crate) fn grow<T>(&self, bytes: u64, usage: &Usage, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if bytes == 0 {
            return act();
        }
        self.take(bytes, 0, bytes, usage)?;
        let done = act();
        lock(&self.used).pending -= bytes;
        if done.is_err() {
            // What was not written was counted all the same.
            self.shrank();
        }
        done
    }

    /// Counts so many bytes and entries as used, if there is room. Blocks.
    pub(crate) fn reserve(&self, bytes: u64, entries: u64, usage: &Usage) -> io::Result<()> {
        self.take(bytes, entries, 0, usage)
    }

    fn take(&self, bytes: u64, entries: u64, pending: u64, usage: &Usage) -> io::Result<()> {
        let bytes = bytes.saturating_add(entries.saturating_mul(self.entry_cost));
        let mut used = lock(&self.used);
        if used.measured.is_none() || (self.lack(&used, bytes, entries).is_some() && self.may_measure_lower(&used)) {
            self.measure(&mut used);
        }
        if let Some(lack) = self.lack(&used, bytes, entries) {
            drop(used);
            usage.refuse(lack);
            return Err(Errno::NOSPC.into());
        }
        used.bytes = used.bytes.saturating_add(bytes);
        used.entries = used.entries.saturating_add(entries);
        used.pending += pending;
        Ok(())
    }

    /// Something became smaller or went away. Never waits.
    pub(crate) fn shrank(&self) {
        self.is_stale.store(true, Ordering::Release);
    }

    /// A file is open for writing. Never waits for a measurement.
    pub(crate) fn opened(&self, file: Weak<File>) {
        let mut open = lock(&self.open);
        if open.len() == open.capacity() {
            open.retain(|file| file.strong_count() > 0);
        }
        open.push(file);
    }

    fn lack(&self, used: &Used, bytes: u64, entries: u64) -> Option<Refusal> {
        if bytes > 0 && used.bytes.saturating_add(bytes) > self.max_bytes {
            return Some(self.full);
        }
        let is_crowded = |max| entries > 0 && used.entries.saturating_add(entries) > max;
        self.max_entries.is_some_and(is_crowded).then_some(Refusal::ArtifactFiles)
    }

    /// Whether a measurement could find less than was counted.
    fn may_measure_lower(&self, used: &Used) -> bool {
        self.is_stale.load(Ordering::Acquire) || used.measured.is_none_or(|(at, _)| at.elapsed() > FRESH)
    }

    /// Measures the tree while whoever writes to it waits: what is promised meanwhile would be lost.
    fn measure(&self, used: &mut Used) {
        if let Some((at, took)) = used.measured {
            // A guest that deletes and writes for ever at its quota must not keep a processor and the disk busy with this:
            // at most half of the time goes into it.
            std::thread::sleep(took.saturating_sub(at.elapsed()));
        }
        let start = Instant::now();
        // Before the look: what shrinks during it may be seen or not.
        self.is_stale.store(false, Ordering::Release);
        let mut tree = Tree { bytes: 0, entries: 0 };
        tree.add(&self.root, self.entry_cost);
        let open = lock(&self.open).clone();
        open.iter().filter_map(Weak::upgrade).for_each(|file| tree.add_removed(&file));
        used.bytes = tree.bytes.saturating_add(used.pending);
        used.entries = tree.entries;
        used.measured = Some((Instant::now(), start.elapsed()));
    }
}

/// Numbers and lists that are whole after every step, so a panic elsewhere does not spoil them.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Tree {
    bytes: u64,
    entries: u64,
}

impl Tree {
    /// Adds all that is below a folder. What vanishes meanwhile or cannot be read is not counted; links are not followed.
    fn add(&mut self, root: &Path, entry_cost: u64) {
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for entry in entries.flatten() {
                let Ok(found) = entry.metadata() else { continue };
                self.entries += 1;
                self.bytes = self.bytes.saturating_add(entry_cost);
                if found.is_dir() {
                    folders.push(entry.path());
                } else {
                    self.bytes = self.bytes.saturating_add(found.len());
                }
            }
        }
    }

    fn add_removed(&mut self, file: &File) {
        use std::os::unix::fs::MetadataExt;
        if let Ok(found) = file.metadata()
            && found.nlink() == 0
        {
            self.bytes = self.bytes.saturating_add(found.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn write(quota: &Quota, path: &Path, bytes: usize) -> io::Result<()> {
        quota.reserve(0, 1, &Usage::default())?;
        quota.grow(bytes as u64, &Usage::default(), || fs::write(path, vec![0; bytes]))
    }

    #[test]
    fn what_is_deleted_can_be_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let quota = Quota::of_tree(dir.path(), 20_000, Refusal::Scratch);
        let file = dir.path().join("a");
        for _ in 0..10 {
            write(&quota, &file, 12_000).unwrap();
            assert_eq!(write(&quota, &dir.path().join("b"), 12_000).unwrap_err().kind(), io::ErrorKind::StorageFull);
            fs::remove_file(&file).unwrap();
            quota.shrank();
        }
    }

    #[test]
    fn what_an_earlier_attempt_left_counts() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("old"), vec![0; 9_000]).unwrap();
        let quota = Quota::of_tree(dir.path(), 20_000, Refusal::Scratch);
        let usage = Usage::default();
        assert!(quota.reserve(8_000, 0, &usage).is_err());
        assert_eq!(usage.refusal(), Some(Refusal::Scratch));
        quota.reserve(6_000, 0, &usage).unwrap();
    }

    #[test]
    fn many_empty_files_fill_a_tree() {
        let dir = tempfile::tempdir().unwrap();
        let quota = Quota::of_tree(dir.path(), 20_000, Refusal::Scratch);
        let made = (0..10).take_while(|n| write(&quota, &dir.path().join(n.to_string()), 0).is_ok()).count();
        assert_eq!(made, 4);
    }

    #[test]
    fn a_removed_file_that_is_still_open_counts() {
        let dir = tempfile::tempdir().unwrap();
        let quota = Quota::of_tree(dir.path(), 20_000, Refusal::Scratch);
        let path = dir.path().join("a");
        write(&quota, &path, 12_000).unwrap();
        let open = Arc::new(File::options().write(true).open(&path).unwrap());
        quota.opened(Arc::downgrade(&open));
        fs::remove_file(&path).unwrap();
        quota.shrank();
        assert!(quota.reserve(12_000, 0, &Usage::default()).is_err());
        drop(open);
        quota.shrank();
        quota.reserve(12_000, 0, &Usage::default()).unwrap();
    }

    #[test]
    fn files_in_out_are_counted_apart_from_their_content() {
        let dir = tempfile::tempdir().unwrap();
        let quota = Quota::of_out(dir.path(), 10, 2);
        write(&quota, &dir.path().join("a"), 9).unwrap();
        write(&quota, &dir.path().join("b"), 0).unwrap();
        let usage = Usage::default();
        assert!(quota.reserve(0, 1, &usage).is_err());
        assert_eq!(usage.refusal(), Some(Refusal::ArtifactFiles));
        assert!(quota.reserve(2, 0, &usage).is_err());
        assert_eq!(usage.refusal(), Some(Refusal::ArtifactBytes));
    }
}
