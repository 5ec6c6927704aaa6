//! Hot loading: looks at the plugins directory and says what changed.
//!
//! A component with its grants file is one thing here, and so is a grants file alone: the component may have been sent.
//!
//! A look takes no input but the directory itself. A file is loaded when two looks in a row found it the same, so that one
//! which is being written is left alone; if its writer pauses for longer it may fail, and is loaded again when it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::warn;
use windlass_model::{Arrival, TaskName};

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
    /// The component as it was in the first look of all.
    at_start: Option<Stamp>,
    /// The state in the look before; absent when there was no file.
    last: Option<Fingerprint>,
    /// The state that was taken in.
    handled: Option<Fingerprint>,
    /// The digest of the component that was taken in; absent if it was refused.
    digest: Option<String>,
    /// Whether it was refused for a reason that may go away by itself.
    may_heal: bool,
}

/// The state of a component and its grants file, as far as the file system tells without reading them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub(crate) component: Option<Stamp>,
    pub(crate) grants: Option<Stamp>,
}

/// The state of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    bytes: u64,
    modified: Option<std::time::SystemTime>,
    /// The inode and the time of its last change tell a file from one that was copied over it with its old times.
    changed: Option<(u64, i64, i64)>,
}

/// Files that are new or changed.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) name: TaskName,
    /// Where the component is, if it is there.
    pub(crate) file: PathBuf,
    pub(crate) fingerprint: Fingerprint,
    /// The digest that was taken in before, if it was.
    pub(crate) digest: Option<String>,
    pub(crate) arrival: Arrival,
}

/// What a look found.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) due: Vec<Due>,
    /// Whether something is changing, so that another look is needed soon.
    pub(crate) unsettled: bool,
}

/// How a look takes what it finds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// The first, while the daemon starts: everything is loaded at once.
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
                Found::default()
            }
        }
    }

    /// Notes that a state was taken in, or refused. One that changed meanwhile will be due again.
    pub(crate) fn handled(&mut self, due: &Due, digest: Option<String>, may_heal: bool) {
        let seen = self.files.entry(due.name.clone()).or_default();
        (seen.handled, seen.digest, seen.may_heal) = (Some(due.fingerprint), digest, may_heal);
    }

    /// The files of a task as they were taken in or refused; `None` if there are none.
    pub(crate) fn settled(&self, name: &TaskName) -> Option<Fingerprint> {
        self.files.get(name)?.handled
    }

    /// The digest of a task's component file, if it was taken in.
    pub(crate) fn digest(&self, name: &TaskName) -> Option<&str> {
        self.files.get(name)?.digest.as_deref()
    }

    fn compare(&mut self, files: BTreeMap<TaskName, (PathBuf, Fingerprint)>, look: Look) -> Found {
        let (mut found, mut gone) = (Found::default(), Vec::new());
        for (name, seen) in &mut self.files {
            if !files.contains_key(name) {
                let still_gone = seen.last.take().is_none() || look == Look::First;
                if still_gone {
                    gone.push(name.clone());
                } else {
                    found.unsettled = true;
                }
            }
        }
        for name in &gone {
            self.files.remove(name);
        }
        for (name, (file, fingerprint)) in files {
            let seen = self.files.entry(name.clone()).or_default();
            if look == Look::First {
                seen.at_start = fingerprint.component;
            }
            let steady = look == Look::First || seen.last == Some(fingerprint);
            seen.last = Some(fingerprint);
            let done = seen.handled == Some(fingerprint) && !(seen.may_heal && look == Look::Healing);
            match (done, steady) {
                (true, _) => {}
                (false, true) => {
                    let is_first = seen.at_start.is_some() && seen.at_start == fingerprint.component;
                    let arrival = if is_first { Arrival::FoundAtStart } else { Arrival::Changed };
                    found.due.push(Due { name, file, fingerprint, digest: seen.digest.clone(), arrival });
                }
                (false, false) => found.unsettled = true,
            }
        }
        found
    }

    fn list(&mut self, directory: &Path) -> io::Result<BTreeMap<TaskName, (PathBuf, Fingerprint)>> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(directory)? {
            let mut file = entry?.path();
            let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let is_component = file.extension().is_some_and(|extension| extension == "wasm");
            let is_grants = file.extension().is_some_and(|extension| extension == "toml");
            // A hidden file is somebody's half-made copy.
            if !(is_component || is_grants) || stem.starts_with('.') {
                continue;
            }
            let name = match TaskName::parse(&stem) {
                Ok(name) => name,
                Err(error) => {
                    if is_component && self.refused.insert(stem) {
                        warn!("`{}` is not loaded, because its name cannot be a task's: {error}", file.display());
                    }
                    continue;
                }
            };
            file.set_extension("wasm");
            // A file may vanish between the two calls: then it is not there.
            let fingerprint = Fingerprint::of(&file);
            if fingerprint != Fingerprint::NOTHING {
                files.insert(name, (file, fingerprint));
            }
        }
        Ok(files)
    }
}

impl Fingerprint {
    /// No file is there.
    pub(crate) const NOTHING: Self = Self { component: None, grants: None };

    pub(crate) fn of(component: &Path) -> Self {
        let stamp = |file: &Path| fs::metadata(file).ok().filter(Metadata::is_file).as_ref().map(Stamp::of);
        Self { component: stamp(component), grants: stamp(&grants_file(component)) }
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
