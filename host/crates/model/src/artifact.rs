//! A file that a job leaves behind.

use serde::{Deserialize, Serialize};

/// A file that a job leaves behind for download.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Its path below `/out`, with `/` between its parts.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Guessed from the name, as for a web server.
    pub content_type: String,
    /// The SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// The lease of the attempt that wrote it: part of where it is kept, so that an attempt that lost the job can
    /// never overwrite the artifact of the one that has it.
    pub lease: u64,
}
