//! What a guest can reach, one capability a file: the host functions, the grant and the limit in one place.
//!
//! What stands in no file here is denied: there is no standard input, no UDP, no listening.

pub(crate) mod artifacts;
pub(crate) mod config;
pub(crate) mod directories;
pub(crate) mod entries;
pub(crate) mod environment;
pub(crate) mod filesystem;
pub(crate) mod http;
pub(crate) mod job;
pub(crate) mod jobs;
pub(crate) mod key_value;
pub(crate) mod logging;
pub(crate) mod memory;
pub(crate) mod names;
pub(crate) mod network;
pub(crate) mod placeholders;
pub(crate) mod progress;
pub(crate) mod redaction;
pub(crate) mod secrets;
pub(crate) mod stdio;
pub(crate) mod values;
