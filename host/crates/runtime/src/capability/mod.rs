//! What a guest can reach, one capability a file: the host functions, the grant and the limit in one place.
//!
//! What stands in no file here is denied: there is no network (the interfaces of wasi:sockets link, so that the standard
//! libraries of most languages load, but every call is refused), no wasi:http, no standard input.

pub(crate) mod artifacts;
pub(crate) mod directories;
pub(crate) mod environment;
pub(crate) mod job;
pub(crate) mod jobs;
pub(crate) mod key_value;
pub(crate) mod memory;
pub(crate) mod stdio;
