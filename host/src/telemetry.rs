//! The daemon's own log, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging. `filter` as in `RUST_LOG`; `quiet` is used if there is none.
pub(crate) fn start(filter: Option<&str>, quiet: &str) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter.unwrap_or(quiet))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    Ok(())
}
