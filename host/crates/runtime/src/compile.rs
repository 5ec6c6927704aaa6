//! From the bytes of a file to a component that can be instantiated.

use std::sync::Arc;

use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::{Component, Linker};

use crate::bindings::TaskPre;
use crate::capability::key_value;
use crate::engine::{Engines, LOADERS};
use crate::error::LoadFault;
use crate::guest::Guest;

/// Compiles components, a few at a time, off the async threads.
pub(crate) struct Compiler {
    engines: Arc<Engines>,
    linker: Linker<Guest>,
    permits: Semaphore,
}

impl Compiler {
    pub(crate) fn new(engines: Arc<Engines>, linker: Linker<Guest>) -> Self {
        Self { engines, linker, permits: Semaphore::new(LOADERS as usize) }
    }

    /// Compiles a component, or takes its code from the cache, and checks that it fits the contract.
    pub(crate) async fn compile(&self, bytes: Arc<[u8]>) -> Result<TaskPre<Guest>, LoadFault> {
        check_kind(&bytes)?;
        let _permit = self.permits.acquire().await.map_err(|closed| LoadFault::Host(closed.into()))?;
        let engines = Arc::clone(&self.engines);
        let compiled = tokio::task::spawn_blocking(move || component(&engines, &bytes)).await;
        // A panic in the compiler is the component's doing: another try would end the same.
        let component = compiled.map_err(|panic| LoadFault::Compile(panic.into()))??;
        self.link(&component)
    }

    fn link(&self, component: &Component) -> Result<TaskPre<Guest>, LoadFault> {
        let linked = self.linker.instantiate_pre(component).map_err(|error| LoadFault::Imports {
            missing: missing(component, &self.engines.running),
            source: error.into(),
        })?;
        TaskPre::new(linked).map_err(|error| LoadFault::Exports(error.into()))
    }
}

fn component(engines: &Engines, bytes: &[u8]) -> Result<Component, LoadFault> {
    if let Some(engine) = engines.for_compiling() {
        let engine = engine.map_err(|error| LoadFault::Host(error.into()))?;
        Component::from_binary(&engine, bytes).map_err(|error| LoadFault::Compile(error.into()))?;
    }
    // With a cache this finds the code there.
    let component =
        Component::from_binary(&engines.running, bytes).map_err(|error| LoadFault::Compile(error.into()))?;
    // Otherwise the first job would pay for it.
    component.initialize_copy_on_write_image().map_err(|error| LoadFault::Host(error.into()))?;
    Ok(component)
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

fn missing(component: &Component, engine: &Engine) -> Vec<String> {
    let imported = component.component_type();
    let names = imported.imports(engine).map(|(name, _)| name);
    names.filter(|name| !is_offered(name)).map(|name| format!("`{name}`")).collect()
}

/// Whether an interface belongs to a package that is offered in this version. What fails nevertheless, the linker explains.
fn is_offered(import: &str) -> bool {
    const OFFERED: [(&str, &str); 7] = [
        ("windlass:task", "1."),
        ("wasi:cli", "0.2."),
        ("wasi:clocks", "0.2."),
        ("wasi:filesystem", "0.2."),
        ("wasi:io", "0.2."),
        ("wasi:random", "0.2."),
        ("wasi:sockets", "0.2."),
    ];
    let (path, version) = import.split_once('@').unwrap_or((import, ""));
    let package = path.split_once('/').map_or(path, |(package, _)| package);
    OFFERED.iter().any(|(name, start)| *name == package && version.starts_with(start))
        || key_value::INTERFACES.contains(&format!("{package}@{version}").as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tests::settings;

    /// The smallest component.
    const NOTHING: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn the_engine_that_runs_guests_finds_code_in_the_cache_and_compiles_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let engines = Engines::new(&settings(dir.path())).unwrap();
        component(&engines, NOTHING).unwrap();
        assert_eq!(engines.cache_use(), Some((1, 1)));
        // After a restart even the first look finds it.
        let engines = Engines::new(&settings(dir.path())).unwrap();
        component(&engines, NOTHING).unwrap();
        assert_eq!(engines.cache_use(), Some((2, 0)));
    }

    #[test]
    fn imports_are_told_apart_by_package_and_version() {
        assert!(is_offered("wasi:cli/stdout@0.2.6"));
        assert!(is_offered("windlass:task/job@1.4.0"));
        assert!(!is_offered("wasi:cli/stdout@0.3.0"));
        assert!(!is_offered("wasi:http/outgoing-handler@0.2.6"));
        assert!(!is_offered("log"));
    }
}
