//! PgBouncer for the tests, from the distribution's packages.

use anyhow::{Context, Result, bail};
use windlass_test_cluster::pooler;

use crate::shell::{output, program, run};

/// Does nothing if it is there.
pub(crate) fn install() -> Result<()> {
    if pooler().is_some() {
        return Ok(());
    }
    let missing = "the tests need PgBouncer; on Debian and its kin: apt-get install pgbouncer";
    if output(program("id", ["-u"]))?.trim() != "0" {
        bail!("{missing} (as root, which may do that by itself here)");
    }
    println!("PgBouncer is missing: installing it from the distribution's packages");
    let install = || {
        let mut command = program("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "pgbouncer"]);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        run(command)
    };
    // The lists of a fresh container are empty.
    install().or_else(|_| run(program("apt-get", ["update", "-qq"])).and_then(|()| install())).context(missing)
}
