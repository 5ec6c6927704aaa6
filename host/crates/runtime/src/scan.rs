//! Hot loading: looks at the plugins directory and says what changed.
//!
//! A look takes no input but the directory itself. A file is loaded when two looks in a row found it the same, so that one
//! which is being written is left alone; if its writer pauses for longer it may fail, and is loaded again when it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::warn;
use windlass_model::TaskName;

use crate::version::grants_file;

/// How long a file must stay the same before it is loaded.
pub(crate) const SETTLE: Duration = Duration::from_millis(200);

/// What was seen of the directory so far.
#[derive(Default)]
pub(crate) struct Scanner {
    files: BTreeMap<TaskName, Seen>,
    /// Names that were complained of, so that each is told once.
    refused: BTreeSet<String>,
    unreadable: bool,
}

#[derive(Default)]
struct Seen {
    /// The state in the look before; absent when there was no file.
    last: Option<Fingerprint>,
    /// The state that was loaded or refused.
    handled: Option<Fingerprint>,
    /// Whether it was refused for a reason that may go away by itself.
    may_heal: bool,
}

/// The state of a component and its grants file, as far as the file system tells without reading them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    component: Stamp,
    grants: Option<Stamp>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<std::time::SystemTime>,
    /// The inode and the time of its last change tell a file from one that was copied over it with its old times.
    changed: Option<(u64, i64, i64)>,
}

/// A plugin that is to be loaded.
pub(crate) struct Due {
    pub(crate) name: TaskName,
    pub(crate) file: PathBuf,
    pub(crate) fingerprint: Fingerprint,
}

/// What a look found.
pub(crate) struct Found {
    pub(crate) due: Vec<Due>,
    pub(crate) gone: Vec<TaskName>,
    /// Whether something is changing, so that another look is needed soon.
    pub(crate) unsettled: bool,
}

/// How a look takes what it finds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// The first: everything is loaded at once.
    First,
    /// After an event: only what did not change since the look before.
    Settled,
    /// Now and then: tries those again that may have healed.
    Healing,
}

impl Scanner {
    /// Looks at the directory. If it cannot be read nothing is due and nothing is gone.
    pub(crate) fn look(&mut self, directory: &Path, look: Look) -> Found {
        match self.list(directory) {
            Ok(files) => {
                self.unreadable = false;
                self.compare(files, look)
            }
            Err(error) => {
                if !self.unreadable {
                    let path = directory.display();
                    warn!("The plugins directory `{path}` cannot be read, the tasks stay as they are: {error}");
                }
                self.unreadable = true;
                Found { due: Vec::new(), gone: Vec::new(), unsettled: false }
            }
        }
    }

    /// Notes that a state was loaded or refused. One that changed meanwhile will be due again.
    pub(crate) fn handled(&mut self, due: &Due, may_heal: bool) {
        let seen = self.files.entry(due.name.clone()).or_default();
        seen.handled = Some(due.fingerprint);
        seen.may_heal = may_heal;
    }

    fn compare(&mut self, files: BTreeMap<TaskName, (PathBuf, Fingerprint)>, look: Look) -> Found {
        let mut found = Found { due: Vec::new(), gone: Vec::new(), unsettled: false };
        for (name, seen) in &mut self.files {
            if !files.contains_key(name) {
                let still_gone = seen.last.take().is_none() || look == Look::First;
                if still_gone {
                    found.gone.push(name.clone());
                } else {
                    found.unsettled = true;
                }
            }
        }
        for name in &found.gone {
            self.files.remove(name);
        }
        for (name, (file, fingerprint)) in files {
            let seen = self.files.entry(name.clone()).or_default();
            let steady = look == Look::First || seen.last == Some(fingerprint);
            seen.last = Some(fingerprint);
            let done = seen.handled == Some(fingerprint) && !(seen.may_heal && look == Look::Healing);
            match (done, steady) {
                (true, _) => {}
                (false, true) => found.due.push(Due { name, file, fingerprint }),
                (false, false) => found.unsettled = true,
            }
        }
        found
    }

    fn list(&mut self, directory: &Path) -> io::Result<BTreeMap<TaskName, (PathBuf, Fingerprint)>> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(directory)? {
            let file = entry?.path();
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            // A hidden file is somebody's half-made copy.
            if file.extension().is_none_or(|extension| extension != "wasm") || stem.starts_with('.') {
                continue;
            }
            let name = match TaskName::parse(&stem) {
                Ok(name) => name,
                Err(error) => {
                    if self.refused.insert(stem) {
                        warn!("`{}` is not loaded, because its name cannot be a task's: {error}", file.display());
                    }
                    continue;
                }
            };
            // A file may vanish between the two calls: then it is not there.
            if let Some(fingerprint) = Fingerprint::of(&file) {
                files.insert(name, (file, fingerprint));
            }
        }
        Ok(files)
    }
}

impl Fingerprint {
    pub(crate) fn of(component: &Path) -> Option<Self> {
        let file = fs::metadata(component).ok().filter(Metadata::is_file)?;
        let grants = fs::metadata(grants_file(component)).ok();
        Some(Self { component: Stamp::of(&file), grants: grants.as_ref().map(Stamp::of) })
    }
}

impl Stamp {
    fn of(file: &Metadata) -> Self {
        #[cfg(unix)]
        let changed = {
            use std::os::unix::fs::MetadataExt as _;
            Some((file.ino(), file.ctime(), file.ctime_nsec()))
        };
        #[cfg(not(unix))]
        let changed = None;
        Self { bytes: file.len(), modified: file.modified().ok(), changed }
    }
}
