//! PgBouncer for the tests.

use anyhow::Result;
use windlass_test_cluster::pooler;

use crate::packages;

/// Does nothing if it is there.
pub(crate) fn install() -> Result<()> {
    match pooler() {
        Some(_) => Ok(()),
        None => packages::install(
            &["pgbouncer"],
            "the tests need PgBouncer; on Debian and its kin: apt-get install pgbouncer",
        ),
    }
}
