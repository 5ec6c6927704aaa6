//! The sandbox: loads plugins, keeps them fresh, and runs one attempt of a job in a fresh instance.
//!
//! A plugin is a WebAssembly component, `NAME.wasm`, with its grants file `NAME.toml` beside it. Nothing outside the
//! sandbox is reachable unless the grants file says so; what is always there (the log, `/out`, `/tmp`, clocks, randomness)
//! belongs to one job alone. Each capability is one file in `capability/`, and says first what is denied.
//!
//! This crate knows nothing of the database, of HTTP and of the engine: the binary plugs it into the engine's port.
//!
//! Invariants:
//! - A store lives for one attempt and is dropped whatever happens; no guest memory is seen by another job.
//! - Guests run on threads of their own, so that a busy guest never slows the API.
//! - A version in service is never changed: a running attempt ends on the version that it started with.
//! - No compiled code is run but our own, from the compiler or from a private cache of sealed files: `.cwasm` files are refused.

mod bindings;
mod cache;
mod capability;
mod catalogue;
mod code;
mod compile;
mod describe;
mod egress;
mod engine;
mod error;
#[cfg(feature = "fuzz")]
#[doc(hidden)]
pub mod fuzz;
mod grants;
mod guest;
mod hints;
mod imports;
mod inspect;
mod limits;
mod memory_reuse;
mod meter;
mod needs;
mod outcome;
mod plugins;
mod port;
mod rollback;
mod run;
mod runtime;
mod scan;
mod schema;
mod scratch;
mod settings;
mod shelf;
mod text;
mod threads;
mod version;

pub use self::cache::CacheFault;
pub use self::egress::client::EgressSettings;
pub use self::egress::resolve::{Resolve, SystemResolver};
pub use self::error::{ArtifactError, LoadFault, RuntimeError};
pub use self::grants::GrantFault;
pub use self::inspect::{Import, Inspection, PoolShare};
pub use self::limits::{LimitChanges, Limits};
pub use self::memory_reuse::MemoryReuse;
pub use self::needs::Lacking;
pub use self::port::{ArgsFault, AttemptHost, AttemptReport, AttemptRequest, HostError};
pub use self::runtime::Runtime;
pub use self::settings::RuntimeSettings;
pub use self::shelf::{CheckedVersion, FileVersion, Shelf};
