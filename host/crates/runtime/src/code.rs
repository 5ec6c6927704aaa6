//! Compiled code that is ours: from the compiler here, or from the cache.

use wasmtime::Engine;
use wasmtime::component::Component;

/// What the compiler made of a component. It is made in two places alone: by [`OwnCode::compile`], and by the cache of an entry
/// that fits its seal.
pub(crate) struct OwnCode(Vec<u8>);

impl OwnCode {
    /// Compiles a component.
    pub(crate) fn compile(engine: &Engine, component: &[u8]) -> wasmtime::Result<Self> {
        engine.precompile_component(component).map(Self)
    }

    /// The content of an entry of the cache. Nobody but the cache calls it, after it has checked the seal.
    pub(crate) fn from_cache(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The component, ready to be instantiated. Fails if an engine of other settings compiled it.
    #[expect(unsafe_code, reason = "wasmtime believes compiled code; that it is ours is what this type stands for")]
    pub(crate) fn component(&self, engine: &Engine) -> wasmtime::Result<Component> {
        // SAFETY: wasmtime demands that the bytes are what its compiler wrote, unchanged.
        // - They were written by `precompile_component`: just now, in this process, or by a daemon that put them into the cache.
        //   Nothing from outside comes here: files and uploads that are compiled code are refused before anything is made of them.
        // - They are unchanged: the cache's directory is ours and nobody else may write it (`make_private`), each entry fits a seal
        //   over its name and its content, and the very bytes that were checked are in our memory; the file is not mapped.
        // - That another version or other settings of wasmtime wrote them is an error that wasmtime returns itself.
        unsafe { Component::deserialize(engine, &self.0) }
    }
}
