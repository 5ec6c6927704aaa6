//! The first look at a component's bytes.

use windlass_runtime::fuzz::{Kind, kind};

/// What is taken for a component has its magic and its layer; compiled code is never taken.
pub fn component(bytes: &[u8]) {
    let starts = bytes.starts_with(b"\0asm");
    match kind(bytes) {
        Kind::Component => assert!(starts && bytes.len() >= 8 && bytes[6..8] != [0, 0]),
        Kind::CoreModule => assert!(starts && bytes[6..8] == [0, 0]),
        Kind::Precompiled => assert!(bytes.starts_with(b"\x7fELF")),
        Kind::NotWasm => assert!(!starts || bytes.len() < 8),
    }
}
