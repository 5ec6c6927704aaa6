//! Loading one version of a plugin: its bytes, its grants, what it says of itself.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use windlass_model::{TaskDescription, TaskName, TaskVersion, Timestamp};

use crate::bindings::TaskPre;
use crate::capability::artifacts::hex;
use crate::compile::Compiler;
use crate::describe::describe;
use crate::error::LoadFault;
use crate::grants::{GrantFault, Grants, LimitBounds};
use crate::guest::Guest;
use crate::limits::Limits;
use crate::schema::ArgsSchema;
use crate::settings::RuntimeSettings;
use crate::text;
use crate::threads::GuestThreads;

/// How large a grants file may be: it is written by hand.
const GRANTS_MAX: u64 = 256 * 1_024;

/// The size of a page of memory. wasmtime counts in them.
const PAGE: u64 = 64 * 1_024;

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

/// Why there is no version, and which bytes failed.
pub(crate) struct Refusal {
    pub(crate) digest: Option<String>,
    pub(crate) fault: LoadFault,
}

impl From<LoadFault> for Refusal {
    fn from(fault: LoadFault) -> Self {
        Self { digest: None, fault }
    }
}

/// Loads versions.
pub(crate) struct Loader {
    pub(crate) settings: Arc<RuntimeSettings>,
    pub(crate) compiler: Compiler,
    pub(crate) threads: Arc<GuestThreads>,
}

impl Loader {
    /// Loads what is in the file now. If the component is the one in service, its compiled code is taken over: only the
    /// grants changed.
    pub(crate) async fn load(
        &self,
        file: &Path,
        name: &TaskName,
        in_service: Option<Arc<Version>>,
    ) -> Result<Version, Refusal> {
        let bytes: Arc<[u8]> = read(file, self.settings.limits.component_bytes).await?.into();
        let digest = hex(&Sha256::digest(&bytes));
        let loaded = self.load_bytes(file, name, bytes, &digest, in_service).await;
        loaded.map_err(|fault| Refusal { digest: Some(digest), fault })
    }

    async fn load_bytes(
        &self,
        file: &Path,
        name: &TaskName,
        bytes: Arc<[u8]>,
        digest: &str,
        in_service: Option<Arc<Version>>,
    ) -> Result<Version, LoadFault> {
        // First what costs nothing.
        let grants = self.grants(&grants_file(file)).await?;
        let limits = grants.limits(&self.bounds());
        let plugin = match in_service {
            Some(version) if version.plugin.digest == digest => {
                check_memory(&version.plugin.task, &limits)?;
                Arc::clone(&version.plugin)
            }
            _ => Arc::new(self.plugin(name, bytes, digest, &limits).await?),
        };
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
        let task = self.compiler.compile(bytes).await?;
        check_memory(&task, limits)?;
        let description = describe(&task, name, limits, self.settings.fuel, &self.threads).await?;
        let args = description.args_schema.as_ref().map(ArgsSchema::parse).transpose()?;
        Ok(Plugin { digest: digest.to_owned(), bytes: size, description, args, task })
    }

    fn bounds(&self) -> LimitBounds<'_> {
        let RuntimeSettings { limits: default, ceiling, fuel, .. } = &*self.settings;
        LimitBounds { default, ceiling, is_fuel_counted: *fuel }
    }

    async fn grants(&self, file: &Path) -> Result<Grants, LoadFault> {
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
        Grants::parse(&text, &self.settings.data_dir, &self.bounds()).map_err(faulty)
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
            limits: self.limits.shown(),
        }
    }

    /// One line of the log.
    pub(crate) fn summary(&self) -> String {
        format!("{} of {}", &self.plugin.digest[..12], text::size(self.plugin.bytes))
    }
}

/// Otherwise every attempt would fail. What cannot be known before, the attempts will tell.
fn check_memory(task: &TaskPre<Guest>, limits: &Limits) -> Result<(), LoadFault> {
    let required = task.instance_pre().component().resources_required();
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
