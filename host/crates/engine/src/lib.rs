//! The life of a daemon: takes enqueues, claims jobs, has them run, writes down how they ended, and sets the database right.
//!
//! It knows the store only by its traits and the sandbox only by [`TaskRunner`], so its tests need neither a real database
//! nor WebAssembly. It decides nothing about states: `windlass-model` does.

mod buffer;
mod bus;
mod children;
mod clock;
mod crowds;
mod dispatcher;
mod engine;
mod enqueue;
mod executor;
mod fingerprint;
mod finisher;
mod first_attempts;
mod handle;
mod listener;
mod port;
mod reporter;
mod running;
mod settings;
mod settler;
mod slots;
mod stores;
mod upkeep;
mod versions;
mod wake;

pub use self::bus::JobWatch;
#[cfg(feature = "failpoints")]
pub use self::clock::set_wrong as set_clock_wrong;
pub use self::clock::{new_job_id, new_worker_id, now};
pub use self::engine::Engine;
pub use self::enqueue::Enqueued;
pub use self::fingerprint::fingerprint;
pub use self::handle::{DEFAULT_MAX_ATTEMPTS, DEFAULT_TIMEOUT, EnqueueError, EnqueueRequest, Handle};
pub use self::port::{
    ArgsFault, ArtifactError, AttemptHost, AttemptOrder, AttemptReport, CheckedVersion, HostError, TaskRunner,
    VersionFault,
};
pub use self::settings::{EngineSettings, Retention};
pub use self::stores::Stores;
pub use self::versions::{UploadError, VersionHistory, Versions};
