//! The plugins directory and the catalogue: what is loaded, what is refused, what is taken away.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use futures_util::stream::{self, StreamExt};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use windlass_model::{LoadError, TaskName};

use crate::catalogue::Catalogue;
use crate::engine::LOADERS;
use crate::error::LoadFault;
use crate::hints::{Hints, RESCAN};
use crate::scan::{Due, Fingerprint, Look, SETTLE, Scanner};
use crate::settings::RuntimeSettings;
use crate::version::{Loader, Refusal};

/// How often the first load looks again at a file that is being written, before it leaves it to the watch.
const FIRST_LOOKS: u32 = 5;

/// Keeps the catalogue as the plugins directory has it.
pub(crate) struct Plugins {
    pub(crate) catalogue: Catalogue,
    settings: Arc<RuntimeSettings>,
    loader: Loader,
    scanner: Mutex<Scanner>,
}

enum Handled {
    Done { may_heal: bool },
    Changing,
}

impl Plugins {
    pub(crate) fn new(settings: Arc<RuntimeSettings>, loader: Loader) -> Self {
        Self { catalogue: Catalogue::new(), settings, loader, scanner: Mutex::default() }
    }

    /// Loads what is in the plugins directory now.
    pub(crate) async fn load_all(&self) {
        for _ in 0..FIRST_LOOKS {
            if !self.pass(Look::First).await {
                break;
            }
            tokio::time::sleep(SETTLE).await;
        }
        let (count, path) = (self.catalogue.loaded().len(), self.settings.plugins.display());
        info!("{count} tasks are in service from `{path}`");
    }

    /// Keeps the tasks as the plugins directory has them, until `stop` fires.
    pub(crate) async fn watch(&self, stop: CancellationToken) {
        let hints = Hints::listen(&self.settings.plugins);
        stop.run_until_cancelled(async {
            loop {
                let mut look = tokio::select! {
                    () = hints.next() => Look::Settled,
                    () = tokio::time::sleep(RESCAN) => Look::Healing,
                };
                while self.pass(look).await {
                    tokio::time::sleep(SETTLE).await;
                    look = Look::Settled;
                }
            }
        })
        .await;
    }

    /// Loads one file, wherever it is, as the task that its name says.
    pub(crate) async fn load_file(&self, file: &Path) -> Result<TaskName, LoadFault> {
        let stem = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = TaskName::parse(&stem).map_err(|source| LoadFault::Name { stem, source })?;
        let version = self.loader.load(file, &name, None).await.map_err(|refusal| refusal.fault)?;
        self.catalogue.put(name.clone(), version);
        Ok(name)
    }

    /// Sets the catalogue right once. Says whether something is changing, so that another pass is needed soon.
    async fn pass(&self, look: Look) -> bool {
        let mut scanner = self.scanner.lock().await;
        let found = scanner.look(&self.settings.plugins, look);
        for name in found.gone {
            self.catalogue.remove(&name);
            info!(task.name = %name, "Task `{name}` is out of service: its file was removed");
        }
        let loads = stream::iter(found.due).map(|due| self.load(due)).buffer_unordered(LOADERS as usize);
        let handled: Vec<_> = loads.collect().await;
        let mut unsettled = found.unsettled;
        for (due, state) in handled {
            match state {
                Handled::Done { may_heal } => scanner.handled(&due, may_heal),
                Handled::Changing => unsettled = true,
            }
        }
        unsettled
    }

    async fn load(&self, due: Due) -> (Due, Handled) {
        let (name, start) = (&due.name, Instant::now());
        let loaded = self.loader.load(&due.file, name, self.catalogue.version(name)).await;
        if Fingerprint::of(&due.file) != Some(due.fingerprint) {
            // What was read may be half of one file and half of another.
            return (due, Handled::Changing);
        }
        let may_heal = match loaded {
            Ok(version) => {
                let (duration_ms, summary) = (start.elapsed().as_millis() as u64, version.summary());
                let digest = version.plugin.digest.as_str();
                info!(task.name = %name, plugin.digest = digest, duration_ms, "Loaded `{name}` ({summary})");
                self.catalogue.put(name.clone(), version);
                false
            }
            Err(refusal) => self.refuse(name, refusal),
        };
        (due, Handled::Done { may_heal })
    }

    fn refuse(&self, name: &TaskName, Refusal { digest, fault }: Refusal) -> bool {
        let message = fault.explain();
        let known = self.catalogue.info(name).and_then(|info| info.load_error);
        if known.is_none_or(|known| (&known.digest, &known.message) != (&digest, &message)) {
            let before =
                if self.catalogue.version(name).is_some() { "the version before it stays" } else { "it is not" };
            // A log line is one line. The others are shown with the task.
            let (first, more) = message.split_once('\n').map_or((message.as_str(), ""), |(first, _)| (first, " …"));
            warn!(task.name = %name, "`{name}` could not be loaded, {before} in service: {first}{more}");
            let error = LoadError { digest, at: (self.settings.clock)(), message };
            self.catalogue.refuse(name.clone(), error);
        }
        fault.may_heal()
    }
}
