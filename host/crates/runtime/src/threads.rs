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
        Self::build(builder.on_thread_start(|| {
            Engine::tls_eager_initialize();
            step_back();
        }))
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

    /// The runtime itself.
    pub(crate) fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Whether the caller is on one of these threads.
    pub(crate) fn are_current(&self) -> bool {
        Handle::try_current().is_ok_and(|current| current.id() == self.handle.id())
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

/// Lets the daemon's own threads go first where there is not enough for all: with a guest that computes on every processor
/// they would otherwise wait for their turn as long as any guest. Guests share what is left among themselves as before.
///
/// Threads for blocking work are of the same runtime, so reading and writing files steps back too.
fn step_back() {
    #[cfg(target_os = "linux")]
    {
        // A thread is a process of its own here, to the kernel. Refused is as good as not asked for: it only costs time.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE);
    }
}

/// Five steps below the daemon: about a third of its weight.
#[cfg(target_os = "linux")]
const NICE: i32 = 5;

impl Drop for GuestThreads {
    fn drop(&mut self) {
        // An ordinary drop waits for blocking work and panics inside another runtime.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
