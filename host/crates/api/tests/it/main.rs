//! The real router on a real engine and a real SQLite file; only the sandbox is played by [`runner::FakeRunner`].

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows only the test functions themselves; here the helpers are tests too"
)]

mod artifacts;
mod batch;
mod command;
mod document;
mod enqueue;
mod events;
mod harness;
mod health;
mod list;
mod operations;
mod queues;
mod read;
mod runner;
mod tasks;
mod versions;
mod workers;
