//! `cargo xtask peers`: builds Windlass as it is shipped, its plugins and the runner of the peers, and runs that.

use anyhow::Result;

use crate::plugins;
use crate::shell::{cargo, program, run, target};

/// Runs the peers and Windlass in turns, with these flags.
pub(crate) fn peers(flags: &[String]) -> Result<()> {
    plugins::build()?;
    run(cargo(&["build", "--release", "--package", "windlass"]))?;
    run(cargo(&["build", "--package", "windlass-peers"]))?;
    let mut peers = program(target().join("debug/windlass-peers"), flags);
    peers.arg("--windlass").arg(target().join("release/windlass")).arg("--built").arg(target().join("peers"));
    run(peers)
}
