//! `cargo xtask cron`: gets an independent implementation of cron lines from its registry, and compares ours with it.

use std::fs;

use anyhow::{Context, Result};

use crate::shell::{cargo, program, root, run, target};

/// Builds the comparison and runs it with these flags.
pub(crate) fn cron(flags: &[String]) -> Result<()> {
    run(cargo(&["build", "--workspace", "--bins"]))?;
    run_built(flags)
}

/// The same when it is built already.
pub(crate) fn run_built(flags: &[String]) -> Result<()> {
    let folder = target().join("cron/python");
    let (wanted, done) = (root().join("tests/cron/requirements.txt"), folder.join("requirements.txt"));
    let text = fs::read(&wanted).with_context(|| format!("cannot read {}", wanted.display()))?;
    if fs::read(&done).is_ok_and(|found| found == text) {
        println!("{} has what it needs", folder.display());
    } else {
        let mut venv = program("python3", ["-m", "venv"]);
        venv.arg(&folder);
        run(venv)
            .context("it takes Python with its module venv: on Debian and Ubuntu `apt-get install python3-venv`")?;
        let mut pip = program(folder.join("bin/pip"), ["install", "--quiet", "--no-deps", "--requirement"]);
        pip.arg(&wanted);
        run(pip)?;
        fs::write(&done, text)?;
    }
    let mut comparison = program(target().join("debug/windlass-cron"), flags);
    comparison.arg("--python").arg(folder.join("bin/python"));
    run(comparison)
}
