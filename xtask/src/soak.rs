//! `cargo xtask soak`: builds the soak, the daemon and the plugins, and runs it.

use anyhow::Result;

use crate::plugins;
use crate::shell::{cargo, program, run, target};

/// Runs the soak with these flags, on a daemon as it is shipped or on one as it is developed.
pub(crate) fn soak(release: bool, flags: &[String]) -> Result<()> {
    plugins::build()?;
    if release {
        run(cargo(&["build", "--release", "--package", "windlass"]))?;
    }
    run(cargo(&["build", "--workspace", "--bins"]))?;
    run_built(release, flags)
}

/// The same when everything is built already.
pub(crate) fn run_built(release: bool, flags: &[String]) -> Result<()> {
    let mut soak = program(target().join("debug/windlass-soak"), flags);
    let profile = if release { "release" } else { "debug" };
    soak.arg("--daemon").arg(target().join(profile).join("windlass")).arg("--built").arg(target());
    run(soak)
}
