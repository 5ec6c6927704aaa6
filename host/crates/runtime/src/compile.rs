//! From the bytes of a file to a component that can be instantiated.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tracing::warn;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::bindings::TaskPre;
use crate::code::OwnCode;
use crate::engine::{Engines, LOADERS};
use crate::error::LoadFault;
use crate::guest::Guest;
use crate::imports;

/// Compiles components, a few at a time, off the async threads.
pub(crate) struct Compiler {
    engines: Arc<Engines>,
    linker: Linker<Guest>,
    permits: Arc<Semaphore>,
    max: Duration,
}

impl Compiler {
    pub(crate) fn new(engines: Arc<Engines>, linker: Linker<Guest>, max: Duration) -> Self {
        Self { engines, linker, permits: Arc::new(Semaphore::new(LOADERS as usize)), max }
    }

    /// Compiles a component, or takes its code from the cache, and checks that it fits the contract.
    pub(crate) async fn compile(&self, bytes: Arc<[u8]>, digest: &str) -> Result<TaskPre<Guest>, LoadFault> {
        self.link(&self.component(bytes, digest).await?)
    }

    /// Compiles a component, or takes its code from the cache.
    pub(crate) async fn component(&self, bytes: Arc<[u8]>, digest: &str) -> Result<Component, LoadFault> {
        check_kind(&bytes)?;
        let permit = tokio::time::timeout(self.max, Arc::clone(&self.permits).acquire_owned());
        let permit = permit.await.map_err(|_| LoadFault::CompilersBusy { max: self.max })?;
        let permit = permit.map_err(|closed| LoadFault::Host(closed.into()))?;
        let (engines, digest) = (Arc::clone(&self.engines), digest.to_owned());
        // The compiler cannot be stopped. When the time is over its thread goes on to its end, with its permit, so that there are
        // never more of them; what it makes goes into the cache.
        let compiling = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            component(&engines, &bytes, &digest)
        });
        let compiled = tokio::time::timeout(self.max, compiling).await;
        let compiled = compiled.map_err(|_| LoadFault::CompileTimeout { max: self.max })?;
        // A panic in the compiler is the component's doing: another try would end the same.
        compiled.map_err(|panic| LoadFault::Compile(panic.into()))?
    }

    /// Checks that a component fits the contract.
    pub(crate) fn link(&self, component: &Component) -> Result<TaskPre<Guest>, LoadFault> {
        let linked = self.linker.instantiate_pre(component).map_err(|error| LoadFault::Imports {
            missing: imports::missing(component, &self.linker),
            source: error.into(),
        })?;
        TaskPre::new(linked).map_err(|error| LoadFault::Exports(error.into()))
    }
}

fn component(engines: &Engines, bytes: &[u8], digest: &str) -> Result<Component, LoadFault> {
    let component = match kept(engines, digest) {
        Some(component) => component,
        None => {
            let engine = engines.for_compiling().map_err(|error| LoadFault::Host(error.into()))?;
            let code = OwnCode::compile(&engine, bytes).map_err(|error| LoadFault::Compile(error.into()))?;
            if let Some(cache) = &engines.cache {
                cache.store(digest, &code);
            }
            code.component(&engines.running).map_err(|error| LoadFault::Compile(error.into()))?
        }
    };
    // Otherwise the first job would pay for it.
    component.initialize_copy_on_write_image().map_err(|error| LoadFault::Host(error.into()))?;
    Ok(component)
}

fn kept(engines: &Engines, digest: &str) -> Option<Component> {
    let cache = engines.cache.as_ref()?;
    let code = cache.load(digest)?;
    let component = code.component(&engines.running);
    let refused = |error: &wasmtime::Error| {
        warn!(plugin.digest = digest, "The compiled code of {digest} is not taken, it is made anew: {error:#}");
        cache.discard(digest);
    };
    component.inspect_err(refused).ok()
}

/// Tells what a file is by its first bytes, so that the usual mistakes get a plain answer.
pub(crate) fn check_kind(bytes: &[u8]) -> Result<(), LoadFault> {
    if Engine::detect_precompiled(bytes).is_some() {
        return Err(LoadFault::Precompiled);
    }
    match bytes.get(..8) {
        // The magic, two bytes of version, two bytes of layer: 0 for a module, 1 for a component.
        Some([0, b'a', b's', b'm', _, _, 0, 0]) => Err(LoadFault::CoreModule),
        Some([0, b'a', b's', b'm', ..]) => Ok(()),
        _ => Err(LoadFault::NotWasm),
    }
}

/// The names of what a component imports.
pub(crate) fn imports(task: &TaskPre<Guest>) -> Vec<String> {
    import_names(task.instance_pre().component())
}

/// The same of a component that was not linked.
pub(crate) fn import_names(component: &Component) -> Vec<String> {
    component.component_type().imports(component.engine()).map(|(name, _)| name.to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::engine::tests::settings;

    /// The smallest component.
    const NOTHING: &[u8] = b"\0asm\x0d\0\x01\0";

    fn compile(engines: &Engines) -> Component {
        component(engines, NOTHING, "0a").unwrap()
    }

    /// The entries of the cache, and when each was written.
    fn entries(dir: &Path) -> Vec<(PathBuf, u64)> {
        use std::os::unix::fs::MetadataExt as _;
        let entries = std::fs::read_dir(dir.join("cache")).unwrap().map(|entry| entry.unwrap());
        entries.map(|entry| (entry.path(), entry.metadata().unwrap().ino())).collect()
    }

    #[test]
    fn the_pooled_engine_takes_the_code_of_a_throw_away_engine_and_finds_it_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        compile(&Engines::new(&settings(dir.path())).unwrap());
        let before = entries(dir.path());
        assert_eq!(before.len(), 1);
        let engines = Engines::new(&settings(dir.path())).unwrap();
        assert!(kept(&engines, "0a").is_some(), "nothing is compiled");
        compile(&engines);
        assert_eq!(entries(dir.path()), before);
    }

    #[test]
    fn an_entry_that_is_damaged_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let engines = Engines::new(&settings(dir.path())).unwrap();
        compile(&engines);
        let (path, _) = entries(dir.path()).pop().unwrap();
        let good = std::fs::read(&path).unwrap();
        let mut damaged = good.clone();
        *damaged.last_mut().unwrap() ^= 1;
        for bad in [&damaged[..], &good[..good.len() / 2], b"junk", b""] {
            std::fs::write(&path, bad).unwrap();
            compile(&engines);
            assert_eq!(std::fs::read(&path).unwrap(), good);
        }
    }

    #[test]
    fn code_of_an_engine_with_other_settings_is_made_anew() {
        let dir = tempfile::tempdir().unwrap();
        let engines = Engines::new(&settings(dir.path())).unwrap();
        let foreign = OwnCode::compile(&Engine::default(), NOTHING).unwrap();
        engines.cache.as_ref().unwrap().store("0a", &foreign);
        assert!(kept(&engines, "0a").is_none());
        compile(&engines);
        assert!(kept(&engines, "0a").is_some());
    }
}
