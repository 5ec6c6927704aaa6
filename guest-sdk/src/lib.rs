//! What the author of a Rust plugin for Windlass uses.
//!
//! A plugin is a function. The attribute [`task`] turns it into a component that a Windlass daemon runs:
//!
//! ```
//! use windlass_guest::schemars::{self, JsonSchema};
//! use windlass_guest::{Job, TaskError, task};
//!
//! #[derive(serde::Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Args {
//!     /// Who is greeted.
//!     name: String,
//! }
//!
//! #[derive(serde::Serialize, JsonSchema)]
//! struct Output {
//!     greeting: String,
//! }
//!
//! /// Greets somebody
//! ///
//! /// The smallest task there can be.
//! #[task]
//! fn hello(job: &Job, args: Args) -> Result<Output, TaskError> {
//!     job.progress().percent(50).info("Thinking of a greeting").report();
//!     Ok(Output { greeting: format!("Hello, {}!", args.name) })
//! }
//! # fn main() {}
//! ```
//!
//! with, in its `Cargo.toml`, `[lib] crate-type = ["cdylib"]`, `windlass-guest`, and `serde` with its feature `derive`; built by
//! `cargo build --release --target wasm32-wasip2`. The file it makes goes into the daemon's plugin directory, and its stem
//! is the task's name.
//!
//! - Arguments come by serde. What does not fit is refused by the daemon when the job is enqueued, because the component
//!   carries their JSON Schema (by schemars), and by this crate otherwise.
//! - [`Job`] tells progress, asks about cancellation, keeps checkpoints, enqueues other jobs ([`Enqueue`]).
//! - [`TaskError`] says how a failed attempt goes on. `?` on any error is [`retryable`].
//! - [`Wants`] names the grants without which the task cannot work.
//! - A panic fails the attempt; its message stands in the job's log.
//! - Whatever is printed becomes the job's log.

mod args;
#[doc(hidden)]
pub mod bindings;
mod checkpoint;
mod describe;
mod enqueue;
mod error;
mod job;
mod progress;
mod wants;

pub use schemars;
pub use windlass_guest_macros::task;

pub use self::enqueue::Enqueue;
pub use self::error::{OrFatal, TaskError, cancelled, fatal, retryable, snooze};
pub use self::job::Job;
pub use self::progress::Report;
pub use self::wants::Wants;

/// What the expansion of [`task`] uses. Not for people: it may change in any version.
#[doc(hidden)]
pub mod expansion {
    pub use crate::args::run;
    pub use crate::bindings::{Guest, TaskError as WireError, export_task};
    pub use crate::describe::{Defaults, describe};
}
