//! `cargo xtask faults`: builds the fault harness and what it hurts, and runs it.

use anyhow::Result;

use crate::plugins;
use crate::shell::{cargo, program, run, target};

/// Runs the harness with these flags.
pub(crate) fn faults(flags: &[String]) -> Result<()> {
    plugins::build()?;
    run_built(flags)
}

/// The same when the guests are built already.
pub(crate) fn run_built(flags: &[String]) -> Result<()> {
    // The workspace as a whole, so that the libraries are those of every other build; the fail points are in no other.
    run(cargo(&["build", "--workspace", "--bins", "--features", "windlass/failpoints"]))?;
    // The next build without fail points puts its own daemon in this one's place.
    let folder = target().join("faults");
    let daemon = folder.join("windlass");
    plugins::copy(&target().join("debug/windlass"), &daemon)?;
    std::fs::set_permissions(&daemon, std::fs::metadata(target().join("debug/windlass"))?.permissions())?;
    let mut harness = program(target().join("debug/windlass-faults"), flags);
    harness.arg("--daemon").arg(daemon).arg("--guest").arg(target().join("guests/probe.wasm"));
    harness.arg("--evidence").arg(folder.join("evidence"));
    run(harness)
}
