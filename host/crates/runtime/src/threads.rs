//! The threads that run guests: a tokio runtime apart from the daemon's.

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
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .thread_name("windlass-guest")
            .on_thread_start(Engine::tls_eager_initialize)
            .enable_all()
            .build()
            .map_err(RuntimeError::Threads)?;
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
