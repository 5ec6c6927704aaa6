//! Loading one version of a plugin: its bytes, its grants, what it says of itself.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use windlass_model::{TaskDescription, TaskName, TaskVersion, Timestamp};

use crate::bindings::TaskPre;
use crate::capability::artifacts::hex;
use crate::compile::{Compiler, imports};
use crate::describe::describe;
use crate::egress::client::Egress;
use crate::error::LoadFault;
use crate::grants::{GrantFault, Grants, LimitBounds, Surroundings};
use crate::guest::Guest;
use crate::limits::Limits;
use crate::needs;
use crate::schema::ArgsSchema;
use crate::settings::RuntimeSettings;
use crate::text;
use crate::threads::GuestThreads;

/// How large a grants file may be: it is written by hand.
const GRANTS_MAX: u64 = 256 * 1_024;

/// The size of a page of memory. wasmtime counts in them.
pub(crate) const PAGE: u64 = 64 * 1_024;

/// A version that can run. Never changed; a running attempt holds the one that it started with.
pub(crate) struct Version {
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) grants: Grants,
    pub(crate) limits: Limits,
    loaded_at: Timestamp,
}

/// What follows from the component's bytes alone.
pub(crate) struct Plugin {
    pub(crate) digest: String,
    bytes: u64,
    description: TaskDescription,
    pub(crate) args: Option<ArgsSchema>,
    pub(crate) task: TaskPre<Guest>,
}

/// A component, and the SHA-256 of its bytes in hexadecimal.
pub(crate) struct Component {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) digest: String,
}

impl Component {
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        let digest = hex(&Sha256::digest(&bytes));
        Self { bytes: bytes.into(), digest }
    }
}

/// Loads versions.
pub(crate) struct Loader {
    pub(crate) settings: Arc<RuntimeSettings>,
    pub(crate) compiler: Compiler,
    pub(crate) threads: Arc<GuestThreads>,
    pub(crate) egress: Arc<Egress>,
}

impl Loader {
    /// Loads a component. If it is the one that is served, its compiled code is taken over: only the grants changed.
    pub(crate) async fn load(
        &self,
        name: &TaskName,
        component: &Component,
        served: Option<Arc<Version>>,
    ) -> Result<Version, LoadFault> {
        let (bytes, digest) = (Arc::clone(&component.bytes), component.digest.as_str());
        // First what costs nothing.
        let grants = self.grants(&self.settings.plugins.join(format!("{name}.toml"))).await?;
        let limits = grants.limits(&self.around().bounds);
        let plugin = match served {
            Some(version) if version.plugin.digest == digest => Arc::clone(&version.plugin),
            _ => Arc::new(self.plugin(name, bytes, digest, &limits).await?),
        };
        self.version(name, plugin, grants, limits)
    }

    /// Reads a component file.
    pub(crate) async fn read(&self, file: &Path) -> Result<Component, LoadFault> {
        Ok(Component::of(read(file, self.settings.limits.component_bytes).await?))
    }

    /// Loads a file, wherever it is, with the grants beside it.
    pub(crate) async fn load_file(&self, file: &Path, name: &TaskName) -> Result<Version, LoadFault> {
        let component = self.read(file).await?;
        let grants = self.grants(&grants_file(file)).await?;
        let limits = grants.limits(&self.around().bounds);
        let plugin = Arc::new(self.plugin(name, component.bytes, &component.digest, &limits).await?);
        self.version(name, plugin, grants, limits)
    }

    fn version(
        &self,
        name: &TaskName,
        plugin: Arc<Plugin>,
        grants: Grants,
        limits: Limits,
    ) -> Result<Version, LoadFault> {
        // The grants may have changed since it was compiled.
        check_memory(plugin.task.instance_pre().component(), &limits)?;
        needs::check(name, plugin.description.wants.as_ref(), &imports(&plugin.task), &grants)?;
        Ok(Version { plugin, grants, limits, loaded_at: (self.settings.clock)() })
    }

    async fn plugin(
        &self,
        name: &TaskName,
        bytes: Arc<[u8]>,
        digest: &str,
        limits: &Limits,
    ) -> Result<Plugin, LoadFault> {
        let size = bytes.len() as u64;
        let task = self.compiler.compile(bytes, digest).await?;
        // Before it runs for the first time, to describe itself.
        check_memory(task.instance_pre().component(), limits)?;
        let description = describe(&task, name, limits, &self.settings, &self.egress, &self.threads).await?;
        let args = description.args_schema.as_ref().map(ArgsSchema::parse).transpose()?;
        Ok(Plugin { digest: digest.to_owned(), bytes: size, description, args, task })
    }

    pub(crate) fn around(&self) -> Surroundings<'_> {
        let RuntimeSettings { limits: default, ceiling, fuel, data_dir: base, variable, .. } = &*self.settings;
        let bounds = LimitBounds { default, ceiling, is_fuel_counted: *fuel };
        Surroundings { base, variable: *variable, bounds }
    }

    pub(crate) async fn grants(&self, file: &Path) -> Result<Grants, LoadFault> {
        let bytes = match read(file, GRANTS_MAX).await {
            Ok(bytes) => bytes,
            Err(LoadFault::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Ok(Grants::default());
            }
            Err(fault) => return Err(fault),
        };
        let faulty = |faults| LoadFault::Grants { path: file.to_path_buf(), faults };
        let text =
            String::from_utf8(bytes).map_err(|_| faulty(vec![GrantFault::NotToml("it is not UTF-8".to_owned())]))?;
        Grants::parse(&text, &self.around()).map_err(faulty)
    }
}

impl Version {
    /// For people.
    pub(crate) fn shown(&self) -> TaskVersion {
        TaskVersion {
            digest: self.plugin.digest.clone(),
            bytes: self.plugin.bytes,
            loaded_at: self.loaded_at,
            description: self.plugin.description.clone(),
            grants: self.grants.shown(),
            auto_rollback: self.grants.auto_rollback,
            limits: self.limits.shown(),
        }
    }

    /// The version that its author gave it.
    pub(crate) fn author_version(&self) -> Option<String> {
        self.plugin.description.version.clone()
    }

    /// One line of the log.
    pub(crate) fn summary(&self) -> String {
        format!("{} of {}", &self.plugin.digest[..12], text::size(self.plugin.bytes))
    }
}

/// Otherwise every attempt would fail. What cannot be known before, the attempts will tell.
pub(crate) fn check_memory(component: &wasmtime::component::Component, limits: &Limits) -> Result<(), LoadFault> {
    let required = component.resources_required();
    let pages = required.and_then(|required| required.max_initial_memory_size).unwrap_or_default();
    let found = pages.saturating_mul(PAGE);
    let max = limits.memory_bytes as u64;
    if found > max { Err(LoadFault::Memory { found, max }) } else { Ok(()) }
}

/// The grants file that belongs to a component.
pub(crate) fn grants_file(component: &Path) -> PathBuf {
    component.with_extension("toml")
}

async fn read(path: &Path, max: u64) -> Result<Vec<u8>, LoadFault> {
    let fault = |source| LoadFault::Read { path: path.to_path_buf(), source };
    let found = tokio::fs::metadata(path).await.map_err(fault)?.len();
    if found > max {
        return Err(LoadFault::TooLarge { found, max });
    }
    tokio::fs::read(path).await.map_err(fault)
}
