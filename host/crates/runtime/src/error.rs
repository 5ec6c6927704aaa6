//! Why the sandbox could not be made, why a plugin could not be loaded, why an artifact cannot be read.

use std::path::PathBuf;
use std::time::Duration;

use windlass_model::{DescriptionError, NameError};

use crate::cache::CacheFault;
use crate::grants::GrantFault;
use crate::needs::Lacking;
use crate::text;

pub(crate) type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why the sandbox could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// A directory that it needs could not be made.
    #[error("the directory `{}` could not be made", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The cache of compiled code could not be opened.
    #[error("the cache of compiled code `{}` could not be opened", path.display())]
    Cache {
        /// Where it is.
        path: PathBuf,
        /// Why.
        #[source]
        source: CacheFault,
    },
    /// The WebAssembly engine could not be made.
    #[error("the WebAssembly engine could not be made")]
    Engine(#[source] Source),
    /// The artifact store could not be opened.
    #[error("the artifact store could not be opened")]
    Artifacts(#[source] Source),
    /// The certificates that are trusted beside the system's could not be read.
    #[error("the certificates in `{}` could not be read", path.display())]
    Roots {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Source,
    },
    /// The threads for guests could not be started.
    #[error("the threads that run guests could not be started")]
    Threads(#[source] std::io::Error),
}

/// Why a plugin could not be put in service.
#[derive(Debug, thiserror::Error)]
pub enum LoadFault {
    /// The file's name is no task's name.
    #[error("`{stem}` cannot be the name of a task")]
    Name {
        /// The file's name without `.wasm`.
        stem: String,
        /// Why.
        #[source]
        source: NameError,
    },
    /// The file could not be read.
    #[error("`{}` could not be read", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It is too large.
    #[error("the file has {}, more than the {} that a component may have", text::size(*found), text::size(*max))]
    TooLarge {
        /// How many bytes it has.
        found: u64,
        /// How many it may have.
        max: u64,
    },
    /// It is not WebAssembly.
    #[error("the file is not WebAssembly")]
    NotWasm,
    /// It is compiled code.
    #[error("the file is compiled code (.cwasm), which is not safe to take from outside: give the component itself")]
    Precompiled,
    /// It is a core module.
    #[error("the file is a core module, not a component: build it for wasm32-wasip2")]
    CoreModule,
    /// It could not be compiled.
    #[error("the component is broken or uses what this host does not support")]
    Compile(#[source] Source),
    /// It took too long to compile.
    #[error("it takes longer than {} to compile; that goes on, and it is tried again", text::span(*max))]
    CompileTimeout {
        /// How long it may take.
        max: Duration,
    },
    /// Others took too long to compile.
    #[error("other components have been compiling for {}, it is tried again", text::span(*max))]
    CompilersBusy {
        /// How long it waited.
        max: Duration,
    },
    /// It starts with more memory than its attempts may have.
    #[error(
        "its memories start with {}, more than its limit of {}: raise `limits.memory_bytes` in its grants file",
        text::size(*found),
        text::size(*max)
    )]
    Memory {
        /// How many bytes its largest memory has from the start.
        found: u64,
        /// How many its memories may have.
        max: u64,
    },
    /// It imports what is not offered.
    #[error("{}", imports_text(missing))]
    Imports {
        /// What is not offered, as far as it can be told by name, and what to do about it.
        missing: Vec<String>,
        /// What the linker says.
        #[source]
        source: Source,
    },
    /// It does not export what a task exports.
    #[error(
        "the component does not export `execute: func(job-id: string, args-json: string) -> result<string, task-error>`"
    )]
    Exports(#[source] Source),
    /// `describe` failed.
    #[error("its `describe` failed: {message}")]
    Describe {
        /// How.
        message: String,
    },
    /// `describe` took too long.
    #[error("its `describe` took longer than {}; it is asked again when its file changes", text::span(*max))]
    DescribeTimeout {
        /// How long it may take.
        max: Duration,
    },
    /// `describe` returned too much.
    #[error("its `describe` returned {}, more than {}", text::size(*found as u64), text::size(*max as u64))]
    DescriptionTooLarge {
        /// How many bytes it returned.
        found: usize,
        /// How many it may return.
        max: usize,
    },
    /// `describe` returned no description.
    #[error(transparent)]
    Description(#[from] DescriptionError),
    /// The schema of its arguments is no JSON Schema.
    #[error("its `args_schema` is not a JSON Schema that can be used: {message}")]
    Schema {
        /// Why.
        message: String,
    },
    /// Its grants file is broken.
    #[error("its grants file `{}` has faults: {}", path.display(), grants_text(faults))]
    Grants {
        /// The grants file.
        path: PathBuf,
        /// All that is wrong with it.
        faults: Vec<GrantFault>,
    },
    /// What it wants is not understood.
    #[error("its `describe` names what it wants in a shape that is not understood: {message}")]
    Wants {
        /// What is wrong.
        message: String,
    },
    /// It wants more than its grants file grants.
    #[error("{}", .0)]
    Needs(Lacking),
    /// The file kept changing while it was read.
    #[error("the file was being written while it was read")]
    Unsteady,
    /// The version that is in service is not kept.
    #[error("its component is not kept in the database any more")]
    NotKept,
    /// The host could not do its part.
    #[error("the host could not load it")]
    Host(#[source] Source),
}

impl LoadFault {
    /// The whole reason in one line, as an operator reads it.
    #[must_use]
    pub fn explain(&self) -> String {
        text::chain(self)
    }

    /// Whether the host could not do its part, so that nothing is known against the component.
    #[must_use]
    pub const fn is_hosts(&self) -> bool {
        matches!(self, Self::Host(_) | Self::Read { .. } | Self::CompilersBusy { .. } | Self::NotKept)
    }

    /// Whether it may load later though its files stay as they are: a directory is made, a permission is given.
    pub(crate) fn may_heal(&self) -> bool {
        match self {
            Self::Read { .. }
            | Self::Unsteady
            | Self::NotKept
            | Self::Host(_)
            | Self::CompileTimeout { .. }
            | Self::CompilersBusy { .. } => true,
            Self::Grants { faults, .. } => faults.iter().any(GrantFault::may_heal),
            _ => false,
        }
    }
}

fn imports_text(missing: &[String]) -> String {
    match missing {
        [] => "the component imports something in another shape than this host offers it".to_owned(),
        [one] => format!("the component imports {one}"),
        many => format!("the component imports {}", many.join("; and ")),
    }
}

fn grants_text(faults: &[GrantFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Why an artifact cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// It is recorded but not in the store any more.
    #[error("the artifact is gone from the artifact store")]
    Gone,
    /// The store failed.
    #[error("the artifact store failed")]
    Store(#[source] Source),
}
