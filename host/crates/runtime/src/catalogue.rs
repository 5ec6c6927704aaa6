//! Which tasks there are: for each the version in service, the reason why the newest file is not, or both.

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
    load_error: Option<LoadError>,
}

impl Catalogue {
    pub(crate) fn new() -> Self {
        Self { tasks: RwLock::default(), changes: watch::Sender::new(0) }
    }

    /// Puts a version in service.
    pub(crate) fn put(&self, name: TaskName, version: Version) {
        self.change(|tasks| {
            tasks.insert(name, Entry { version: Some(Arc::new(version)), load_error: None });
        });
    }

    /// Notes that the newest file is not in service. The version before it stays.
    pub(crate) fn refuse(&self, name: TaskName, error: LoadError) {
        self.change(|tasks| tasks.entry(name).or_default().load_error = Some(error));
    }

    /// Takes a task out of service. Running attempts end on the version that they hold.
    pub(crate) fn remove(&self, name: &TaskName) {
        self.change(|tasks| {
            tasks.remove(name);
        });
    }

    pub(crate) fn version(&self, name: &TaskName) -> Option<Arc<Version>> {
        self.read(|tasks| tasks.get(name).and_then(|entry| entry.version.clone()))
    }

    pub(crate) fn info(&self, name: &TaskName) -> Option<TaskInfo> {
        self.read(|tasks| tasks.get_key_value(name).map(|(name, entry)| entry.info(name)))
    }

    pub(crate) fn infos(&self) -> Vec<TaskInfo> {
        self.read(|tasks| tasks.iter().map(|(name, entry)| entry.info(name)).collect())
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
        act(&mut self.tasks.write().unwrap_or_else(PoisonError::into_inner));
        self.changes.send_modify(|count| *count += 1);
    }
}

impl Entry {
    fn info(&self, name: &TaskName) -> TaskInfo {
        TaskInfo {
            name: name.clone(),
            version: self.version.as_ref().map(|version| version.shown()),
            load_error: self.load_error.clone(),
        }
    }
}
