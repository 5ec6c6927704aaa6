//! `cargo xtask dashboard`: makes the files that the daemon serves to browsers. What embeds them only takes what is there.

use std::fs;

use anyhow::Result;

use crate::npm::{Npm, hash};
use crate::shell::{root, target};

/// What the types of the API are made from.
const DOCUMENT: &str = "host/crates/api/tests/it/snapshots/it__document__openapi.snap";

/// Checks its types and its form, and builds it into target/dashboard/dist. Does nothing if it was built from what is there now.
pub(crate) fn build() -> Result<()> {
    let npm = Npm::of("host/dashboard")?;
    let mut sources = npm.sources()?;
    sources.push(root().join(DOCUMENT));
    let now = hash(&sources)?;
    let built = target().join("dashboard");
    let stamp = built.join("built");
    if fs::read_to_string(&stamp).is_ok_and(|last| last == now) && built.join("dist/index.html").exists() {
        println!("The dashboard in target/dashboard/dist is up to date");
        return Ok(());
    }
    let _ = fs::remove_file(&stamp);
    for script in ["types", "check", "build"] {
        npm.run(&["run", "--silent", script])?;
    }
    fs::write(stamp, now)?;
    println!("In target/dashboard/dist: what `cargo build --package windlass` embeds");
    Ok(())
}
