//! Programs from the distribution's packages.

use anyhow::{Context, Result, bail};

use crate::shell::{output, program, run};

/// Installs packages on Debian and its kin, as root only. `missing` says what is missing without them, and what to do.
pub(crate) fn install(packages: &[&str], missing: &str) -> Result<()> {
    if output(program("id", ["-u"]))?.trim() != "0" {
        bail!("{missing} (as root, which may do that by itself here)");
    }
    println!("Installing from the distribution's packages: {}", packages.join(", "));
    let install = || {
        let mut command = program("apt-get", ["install", "-y", "-qq", "--no-install-recommends"]);
        command.args(packages).env("DEBIAN_FRONTEND", "noninteractive");
        run(command)
    };
    // The lists of a fresh container are empty.
    install()
        .or_else(|_| run(program("apt-get", ["update", "-qq"])).and_then(|()| install()))
        .with_context(|| missing.to_owned())
}
