//! `wasi:logging`: lines for the job's log, with a level. Always granted: it reaches its own job's log alone, within the same
//! bounds as what is printed.

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, Linker, Lower};
use windlass_model::LogStream;

use crate::guest::Guest;

/// The interface was never released; libraries ask for it in these two ways.
const NAMES: [&str; 2] = ["wasi:logging/logging", "wasi:logging/logging@0.1.0-draft"];

#[derive(Clone, Copy, Debug, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
#[expect(dead_code, reason = "a level is made by the bindings, from what the guest gave")]
enum Level {
    #[component(name = "trace")]
    Trace,
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
    #[component(name = "critical")]
    Critical,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }

    /// Warnings go where the last words of a guest that traps are looked for.
    fn stream(self) -> LogStream {
        match self {
            Self::Trace | Self::Debug | Self::Info => LogStream::Stdout,
            Self::Warn | Self::Error | Self::Critical => LogStream::Stderr,
        }
    }
}

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    for name in NAMES {
        linker.instance(name)?.func_wrap(
            "log",
            |store: StoreContextMut<'_, Guest>, (level, context, message): (Level, String, String)| {
                let start = if context.is_empty() { String::new() } else { format!("{context}: ") };
                store.data().log.write(level.stream(), &format!("{} {start}{message}", level.as_str()));
                Ok(())
            },
        )?;
    }
    Ok(())
}
