//! How quick the daemon is, measured by whoever wants to know: `windlass bench`.
//!
//! It starts the real daemon as a process of its own, on a database that is made for it and removed afterwards, and drives it over
//! HTTP on loopback. Nothing is taken from inside the daemon; and what the daemon answers is not believed: after each run the rows
//! of the database must say that every job completed exactly once.

mod args;
mod client;
mod conditions;
mod daemon;
mod error;
mod figures;
mod fleet;
mod handler;
mod load;
mod place;
mod process;
mod report;
mod scenario;
mod sender;
mod setup;
mod verdict;

pub use self::args::{BenchArgs, Common, DrainArgs, EndToEndArgs, LatencyArgs, Scenario, SoakArgs};
pub use self::error::BenchError;
pub use self::report::Report;
pub use self::scenario::run;
