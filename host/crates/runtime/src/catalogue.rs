//! Which tasks there are here: for each the version that is served, what is wrong, or both.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;
use windlass_model::{LoadError, TaskInfo, TaskName};

use crate::version::Version;

/// The tasks by name, and a counter that goes up with every change.
pub(crate) struct Catalogue {
    tasks: RwLock<BTreeMap<TaskName, Entry>>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Entry {
    version: Option<Arc<Version>>,
    /// Why the version that is to be served is not.
    load_error: Option<LoadError>,
    /// What is wrong with the file.
    file_error: Option<LoadError>,
    /// What is shown of it, made at each change: every enqueue asks for it.
    info: Option<Arc<TaskInfo>>,
}

/// What a fault is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum About {
    /// The version that is to be served.
    Version,
    /// The file of the plugins directory.
    File,
}

impl Catalogue {
    pub(crate) fn new() -> Self {
        Self { tasks: RwLock::default(), changes: watch::Sender::new(0) }
    }

    /// Serves a version.
    pub(crate) fn put(&self, name: TaskName, version: Version) {
        self.change(|tasks| {
            let entry = tasks.entry(name).or_default();
            entry.version = Some(Arc::new(version));
            entry.load_error = None;
        });
    }

    /// Notes what is wrong. The version that is served stays.
    pub(crate) fn refuse(&self, name: TaskName, about: About, error: LoadError) {
        self.change(|tasks| *tasks.entry(name).or_default().error(about) = Some(error));
    }

    /// Notes that nothing is wrong any more.
    pub(crate) fn absolve(&self, name: &TaskName, about: About) {
        if self.error(name, about).is_some() {
            self.change(|tasks| {
                if let Some(entry) = tasks.get_mut(name) {
                    *entry.error(about) = None;
                }
            });
        }
    }

    /// Takes a task out of service, and says whether it was in it. Running attempts end on the version that they hold. A task that
    /// neither is served nor has a fault is forgotten.
    pub(crate) fn withdraw(&self, name: &TaskName) -> bool {
        let found = self.read(|tasks| {
            let is_idle = |entry: &Entry| entry.version.is_none() && entry.load_error.is_none();
            tasks.get(name).map(|entry| (entry.version.is_some(), is_idle(entry) && entry.file_error.is_some()))
        });
        let Some((was_served, is_settled)) = found else { return false };
        if !is_settled {
            self.change(|tasks| {
                if let Some(entry) = tasks.get_mut(name) {
                    (entry.version, entry.load_error) = (None, None);
                    if entry.file_error.is_none() {
                        tasks.remove(name);
                    }
                }
            });
        }
        was_served
    }

    pub(crate) fn error(&self, name: &TaskName, about: About) -> Option<LoadError> {
        self.read(|tasks| {
            let entry = tasks.get(name)?;
            if about == About::File { entry.file_error.clone() } else { entry.load_error.clone() }
        })
    }

    pub(crate) fn version(&self, name: &TaskName) -> Option<Arc<Version>> {
        self.read(|tasks| tasks.get(name).and_then(|entry| entry.version.clone()))
    }

    pub(crate) fn info(&self, name: &TaskName) -> Option<Arc<TaskInfo>> {
        self.read(|tasks| tasks.get(name).and_then(|entry| entry.info.clone()))
    }

    pub(crate) fn infos(&self) -> Vec<TaskInfo> {
        self.read(|tasks| tasks.values().filter_map(|entry| entry.info.as_deref().cloned()).collect())
    }

    /// All tasks that are known, by name.
    pub(crate) fn names(&self) -> Vec<TaskName> {
        self.read(|tasks| tasks.keys().cloned().collect())
    }

    /// The tasks that can run.
    pub(crate) fn loaded(&self) -> Vec<TaskName> {
        self.read(|tasks| tasks.iter().filter(|(_, entry)| entry.version.is_some()).map(|(n, _)| n.clone()).collect())
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn read<R>(&self, look: impl FnOnce(&BTreeMap<TaskName, Entry>) -> R) -> R {
        look(&self.tasks.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change(&self, act: impl FnOnce(&mut BTreeMap<TaskName, Entry>)) {
        let mut tasks = self.tasks.write().unwrap_or_else(PoisonError::into_inner);
        act(&mut tasks);
        for (name, entry) in tasks.iter_mut() {
            entry.info = Some(Arc::new(entry.shown(name)));
        }
        drop(tasks);
        self.changes.send_modify(|count| *count += 1);
    }
}

impl Entry {
    fn error(&mut self, about: About) -> &mut Option<LoadError> {
        match about {
            About::Version => &mut self.load_error,
            About::File => &mut self.file_error,
        }
    }

    fn shown(&self, name: &TaskName) -> TaskInfo {
        TaskInfo {
            name: name.clone(),
            version: self.version.as_ref().map(|version| version.shown()),
            // What should run and does not matters more than a file that nobody waits for.
            load_error: self.load_error.clone().or_else(|| self.file_error.clone()),
        }
    }
}
