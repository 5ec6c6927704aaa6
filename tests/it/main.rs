//! Whole daemons: the real binary as a process, real plugins, real HTTP. A file is named after the behaviour that it tests.
//!
//! They need `windlass` and the guests to be built: `cargo xtask test` sees to that; by hand it is
//! `cargo xtask plugins && cargo build -p windlass`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where it stopped")]

mod bad_database;
mod bad_input;
mod bench;
mod cancel;
mod chains;
mod check;
mod command_line;
mod daemon;
mod durability;
mod endings;
mod export;
mod hostile;
mod hot_swap;
mod key_values;
mod limits;
mod many_daemons;
mod plugin_check;
mod pooler;
mod progress;
mod queues;
mod retention;
mod retry;
mod shutdown;
mod twice;
mod versions;
