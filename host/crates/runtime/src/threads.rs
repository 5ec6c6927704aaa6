//! The threads that run guests, and those of their network: tokio runtimes apart from the daemon's.

use std::future::Future;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::task::AbortOnDropHandle;
use wasmtime::Engine;

use crate::error::RuntimeError;

/// A tokio runtime that can be dropped anywhere.
pub(crate) struct GuestThreads {
    handle: Handle,
    runtime: Option<Runtime>,
}

impl GuestThreads {
    pub(crate) fn start(threads: usize) -> Result<Self, RuntimeError> {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(threads.max(1)).thread_name("windlass-guest");
        Self::build(builder.on_thread_start(Engine::tls_eager_initialize))
    }

    /// Threads for the network: a guest that computes must not hold up another one's connection. Two carry what TLS costs
    /// for hundreds of jobs; 16 names are resolved at once.
    pub(crate) fn start_egress() -> Result<Self, RuntimeError> {
        let mut builder = Builder::new_multi_thread();
        Self::build(builder.worker_threads(2).max_blocking_threads(16).thread_name("windlass-egress"))
    }

    fn build(builder: &mut Builder) -> Result<Self, RuntimeError> {
        let runtime = builder.enable_all().build().map_err(RuntimeError::Threads)?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    /// Starts work there. It is stopped if the handle is dropped.
    pub(crate) fn spawn<F>(&self, work: F) -> AbortOnDropHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        AbortOnDropHandle::new(self.handle.spawn(work))
    }
}

impl Drop for GuestThreads {
    fn drop(&mut self) {
        // An ordinary drop waits for blocking work and panics inside another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
