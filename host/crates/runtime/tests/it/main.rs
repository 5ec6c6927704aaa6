//! The sandbox against real guests. One binary, so that it links wasmtime once; a file for each kind of promise.
//!
//! The guests are built by `cargo xtask plugins`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bench;
mod endings;
mod files;
mod hot_loading;
mod http;
mod limits;
mod loading;
mod log;
mod needs;
mod residue;
mod secrets;
mod server;
mod tcp;
mod word;
