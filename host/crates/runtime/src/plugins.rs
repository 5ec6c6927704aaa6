//! Keeps what is served here as it should be. Two steps, each of which looks and sets right: files that are new or changed are taken
//! in, and then of each task the version is loaded that is in service by the shelf's word.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use futures_util::stream::{self, StreamExt};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use windlass_model::{LoadError, Placement, TaskName, TaskRecord, VersionSource};

use crate::catalogue::{About, Catalogue};
use crate::engine::LOADERS;
use crate::error::LoadFault;
use crate::hints::{Hints, RESCAN};
use crate::inspect::Inspection;
use crate::port::HostError;
use crate::scan::{Due, Fingerprint, Found, Look, SETTLE, Scanner, Stamp};
use crate::settings::RuntimeSettings;
use crate::shelf::{CheckedVersion, FileVersion, Shelf};
use crate::version::{Component, Loader, Version};

/// How often the first load looks again at a file that is being written, before it leaves it to the watch.
const FIRST_LOOKS: u32 = 5;

/// Keeps what is served here as it should be.
pub(crate) struct Plugins {
    pub(crate) catalogue: Catalogue,
    settings: Arc<RuntimeSettings>,
    loader: Loader,
    shelf: Arc<dyn Shelf>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    scanner: Scanner,
    /// What was loaded, or refused, of each task that is served here.
    tried: BTreeMap<TaskName, Tried>,
    /// Whether the shelf did not answer the last time.
    is_cut_off: bool,
}

/// What is to be served: a version, with the grants as they are.
#[derive(Clone, PartialEq, Eq)]
struct Target {
    digest: String,
    grants: Option<Stamp>,
}

struct Tried {
    target: Target,
    may_heal: bool,
}

/// What became of a file.
enum Taken {
    /// It was taken in, with this digest; what was loaded on the way need not be loaded again.
    In {
        digest: Option<String>,
        version: Option<Prepared>,
    },
    Refused {
        may_heal: bool,
    },
    /// It is being written, or the shelf does not answer.
    Later,
}

type Records = BTreeMap<TaskName, TaskRecord>;

/// A version that was loaded when its file was taken in, and since when it was on its way.
type Prepared = (Box<Version>, Instant);

impl Plugins {
    pub(crate) fn new(settings: Arc<RuntimeSettings>, loader: Loader, shelf: Arc<dyn Shelf>) -> Self {
        Self { catalogue: Catalogue::new(), settings, loader, shelf, state: Mutex::default() }
    }

    /// Loads what is to be served now.
    pub(crate) async fn load_all(&self) {
        for _ in 0..FIRST_LOOKS {
            if !self.pass(Some(Look::First)).await {
                break;
            }
            tokio::time::sleep(SETTLE).await;
        }
        let (count, path) = (self.catalogue.loaded().len(), self.settings.plugins.display());
        info!("{count} tasks are in service; plugins are looked for in `{path}`");
    }

    /// Keeps the tasks as the plugins directory and the shelf have them, until `stop` fires.
    pub(crate) async fn watch(&self, stop: CancellationToken) {
        let hints = Hints::listen(&self.settings.plugins);
        stop.run_until_cancelled(async {
            loop {
                let mut look = tokio::select! {
                    () = hints.next() => Look::Settled,
                    () = tokio::time::sleep(RESCAN) => Look::Healing,
                };
                while self.pass(Some(look)).await {
                    tokio::time::sleep(SETTLE).await;
                    look = Look::Settled;
                }
            }
        })
        .await;
    }

    /// Serves what the shelf says now. Files are left to the watch.
    pub(crate) async fn refresh(&self) {
        self.pass(None).await;
    }

    /// Loads one file, wherever it is, as the task that its name says.
    pub(crate) async fn load_file(&self, file: &Path) -> Result<TaskName, LoadFault> {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = TaskName::parse(&stem).map_err(|source| LoadFault::Name { stem, source })?;
        let version = self.loader.load_file(file, &name).await?;
        self.catalogue.put(name.clone(), version);
        Ok(name)
    }

    /// Looks at a file, and keeps nothing of it.
    pub(crate) async fn inspect(&self, file: &Path, grants: Option<&Path>) -> Inspection {
        self.loader.inspect(file, grants).await
    }

    /// Does with a component all that goes before its service, and leaves it at that.
    pub(crate) async fn check(&self, name: &TaskName, bytes: Vec<u8>) -> Result<CheckedVersion, LoadFault> {
        let (found, max) = (bytes.len() as u64, self.settings.limits.component_bytes);
        if found > max {
            return Err(LoadFault::TooLarge { found, max });
        }
        let component = Component::of(bytes);
        let version = self.loader.load(name, &component, self.catalogue.version(name)).await?;
        Ok(CheckedVersion { digest: component.digest, author_version: version.author_version() })
    }

    /// Sets everything right once. Says whether something is changing, so that another pass is needed soon.
    async fn pass(&self, look: Option<Look>) -> bool {
        let state = &mut *self.state.lock().await;
        let found = look.map_or_else(Found::default, |look| state.scanner.look(&self.settings.plugins, look));
        let Some(records) = self.records(state).await else { return found.unsettled };
        let is_due = !found.due.is_empty();
        let (prepared, changing) = self.take_in(state, found.due, &records).await;
        let records = if is_due { self.records(state).await.unwrap_or(records) } else { records };
        let serving = self.serve(state, &records, prepared, look).await;
        found.unsettled || changing || serving
    }

    async fn records(&self, state: &mut State) -> Option<Records> {
        let records = self.shelf.tasks().await;
        if let Err(HostError(reason)) = &records
            && !state.is_cut_off
        {
            warn!("What is in service cannot be looked up, the tasks stay as they are: {reason}");
        }
        state.is_cut_off = records.is_err();
        Some(records.ok()?.into_iter().map(|record| (record.task.clone(), record)).collect())
    }

    /// Takes in what the files hold. Returns what was loaded on the way, and whether something is still being written.
    async fn take_in(
        &self,
        state: &mut State,
        due: Vec<Due>,
        records: &Records,
    ) -> (BTreeMap<TaskName, Prepared>, bool) {
        let offers = stream::iter(due).map(|due| async move {
            let taken = self.offer(&due, records.get(&due.name)).await;
            (due, taken)
        });
        let offers: Vec<_> = offers.buffer_unordered(LOADERS as usize).collect().await;
        let (mut prepared, mut unsettled) = (BTreeMap::new(), false);
        for (due, taken) in offers {
            match taken {
                Taken::In { digest, version } => {
                    state.scanner.handled(&due, digest, false);
                    prepared.extend(version.map(|version| (due.name, version)));
                }
                Taken::Refused { may_heal } => state.scanner.handled(&due, None, may_heal),
                Taken::Later => unsettled |= Fingerprint::of(&due.file) != due.fingerprint,
            }
        }
        (prepared, unsettled)
    }

    async fn offer(&self, due: &Due, record: Option<&TaskRecord>) -> Taken {
        let (name, start) = (&due.name, Instant::now());
        if due.fingerprint.component.is_none() {
            return Taken::In { digest: None, version: None };
        }
        let component = self.loader.read(&due.file).await;
        if Fingerprint::of(&due.file) != due.fingerprint {
            // What was read may be half of one file and half of another.
            return Taken::Later;
        }
        let component = match component {
            Ok(component) => component,
            Err(fault) => return self.refuse_file(name, None, &fault),
        };
        let digest = component.digest.clone();
        if record.is_some_and(|record| record.digest.as_ref() == Some(&digest)) {
            self.catalogue.absolve(name, About::File);
            return Taken::In { digest: Some(digest), version: None };
        }
        if due.digest.as_ref() == Some(&digest) {
            // The file was touched, or only the grants changed.
            return Taken::In { digest: Some(digest), version: None };
        }
        let version = match self.loader.load(name, &component, self.catalogue.version(name)).await {
            Ok(version) => version,
            Err(fault) => return self.refuse_file(name, Some(digest), &fault),
        };
        if Fingerprint::of(&due.file) != due.fingerprint {
            return Taken::Later;
        }
        let published = self.shelf.publish(FileVersion {
            task: name.clone(),
            digest: digest.clone(),
            component: component.bytes,
            arrival: due.arrival,
            author_version: version.author_version(),
        });
        match published.await {
            Ok(Placement::HeldByPin) => {
                let message = "the file's version is kept and not in service: the task is pinned to another. Unpin it, and \
                               roll back to this digest";
                self.note(name, About::File, Some(digest.clone()), message.to_owned());
            }
            Ok(_) => self.catalogue.absolve(name, About::File),
            Err(HostError(reason)) => {
                warn!(task.name = %name, "The new file of `{name}` cannot be kept, it is tried again: {reason}");
                return Taken::Later;
            }
        }
        Taken::In { digest: Some(digest), version: Some((Box::new(version), start)) }
    }

    /// Loads of each task what is in service and not yet served so. Returns whether something is being written.
    async fn serve(
        &self,
        state: &mut State,
        records: &Records,
        mut prepared: BTreeMap<TaskName, Prepared>,
        look: Option<Look>,
    ) -> bool {
        let names: BTreeSet<_> = records.keys().cloned().chain(self.catalogue.names()).collect();
        let mut loads = Vec::new();
        for name in names {
            let settled = state.scanner.settled(&name).unwrap_or(Fingerprint::NOTHING);
            // Whoever asked for this cannot wait until a file that was just written has settled.
            let files = match look {
                None => Fingerprint { grants: Fingerprint::of(&self.file(&name)).grants, ..settled },
                Some(_) => settled,
            };
            let has_file = files.component.is_some();
            if !has_file {
                self.catalogue.absolve(&name, About::File);
            }
            let record = records.get(&name);
            if state.scanner.digest(&name).is_some() && !record.is_some_and(|record| record.is_pinned) {
                // Of a file that was taken in only a pin is told.
                self.catalogue.absolve(&name, About::File);
            }
            let served = record.filter(|record| has_file || record.source == Some(VersionSource::Upload));
            let Some(digest) = served.and_then(|record| record.digest.clone()) else {
                state.tried.remove(&name);
                let is_deleted = record.is_some_and(|record| record.digest.is_none());
                self.withdraw(&name, has_file, is_deleted);
                continue;
            };
            let target = Target { digest, grants: files.grants };
            let is_done = |tried: &Tried| tried.target == target && !(tried.may_heal && look == Some(Look::Healing));
            if !state.tried.get(&name).is_some_and(is_done) {
                let in_file = state.scanner.digest(&name) == Some(&target.digest);
                let version = prepared.remove(&name).filter(|(version, _)| version.plugin.digest == target.digest);
                loads.push(self.load(name, target, in_file, version));
            }
        }
        let loads: Vec<_> = stream::iter(loads).buffer_unordered(LOADERS as usize).collect().await;
        let mut unsettled = false;
        for (name, tried) in loads {
            match tried {
                Some(tried) => drop(state.tried.insert(name, tried)),
                None => unsettled = true,
            }
        }
        unsettled
    }

    /// Loads a version and serves it. `None` if the grants are being written.
    async fn load(
        &self,
        name: TaskName,
        target: Target,
        in_file: bool,
        prepared: Option<Prepared>,
    ) -> (TaskName, Option<Tried>) {
        let is_settled = || Fingerprint::of(&self.file(&name)).grants == target.grants;
        if !is_settled() {
            return (name, None);
        }
        let (loaded, start) = match prepared {
            Some((version, start)) => (Ok(*version), start),
            None => {
                let start = Instant::now();
                (self.fetch_and_load(&name, &target.digest, in_file).await, start)
            }
        };
        if !is_settled() {
            return (name, None);
        }
        let may_heal = match loaded {
            Ok(version) => {
                let (duration_ms, summary) = (start.elapsed().as_millis() as u64, version.summary());
                info!(task.name = %name, plugin.digest = target.digest, duration_ms, "Loaded `{name}` ({summary})");
                self.catalogue.put(name.clone(), version);
                false
            }
            Err(fault) => {
                self.note(&name, About::Version, Some(target.digest.clone()), fault.explain());
                fault.may_heal()
            }
        };
        (name, Some(Tried { target, may_heal }))
    }

    async fn fetch_and_load(&self, name: &TaskName, digest: &str, in_file: bool) -> Result<Version, LoadFault> {
        let served = self.catalogue.version(name);
        let component = match in_file {
            // The file spares the way to the database; if it has changed meanwhile, the next pass sees to it.
            true => self.loader.read(&self.file(name)).await.ok().filter(|component| component.digest == digest),
            false => None,
        };
        let component = match component {
            Some(component) => component,
            None => {
                let kept = self.shelf.component(name, digest).await.map_err(|error| LoadFault::Host(error.into()))?;
                let kept = kept.map(Component::of).filter(|component| component.digest == digest);
                kept.ok_or(LoadFault::NotKept)?
            }
        };
        self.loader.load(name, &component, served).await
    }

    fn file(&self, name: &TaskName) -> PathBuf {
        self.settings.plugins.join(format!("{name}.wasm"))
    }

    fn withdraw(&self, name: &TaskName, has_file: bool, is_deleted: bool) {
        let why = if is_deleted { "it was deleted" } else { "its file was removed" };
        let is_served = self.catalogue.version(name).is_some();
        if is_served || !(has_file && is_deleted) {
            self.catalogue.withdraw(name);
        }
        if is_served {
            info!(task.name = %name, "Task `{name}` is out of service: {why}");
        }
        if has_file && is_deleted {
            let message =
                "the task was deleted, and its file has not changed since: change the file or upload a version";
            self.note(name, About::Version, None, message.to_owned());
        }
    }

    fn refuse_file(&self, name: &TaskName, digest: Option<String>, fault: &LoadFault) -> Taken {
        self.note(name, About::File, digest, fault.explain());
        Taken::Refused { may_heal: fault.may_heal() }
    }

    /// Says once what is wrong.
    fn note(&self, name: &TaskName, about: About, digest: Option<String>, message: String) {
        let known = self.catalogue.error(name, about);
        if known.is_none_or(|known| (&known.digest, &known.message) != (&digest, &message)) {
            let before =
                if self.catalogue.version(name).is_some() { "the version before it stays" } else { "it is not" };
            // A log line is one line. The others are shown with the task.
            let (first, more) = message.split_once('\n').map_or((message.as_str(), ""), |(first, _)| (first, " …"));
            warn!(task.name = %name, "`{name}` could not be loaded, {before} in service: {first}{more}");
            self.catalogue.refuse(name.clone(), about, LoadError { digest, at: (self.settings.clock)(), message });
        }
    }
}
