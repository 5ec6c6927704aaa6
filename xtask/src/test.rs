//! `cargo xtask test`: exactly what CI runs.

use anyhow::Result;
use windlass_test_cluster::{Cluster, URL};

use crate::shell::{cargo, output, program, run};
use crate::{browser, cron, dashboard, faults, fuzz, plugins, pooler, soak};

/// How long each fuzz target runs here: long enough to see that it still does.
const FUZZ_SECONDS: u64 = 5;

/// Formatting, lints, docs, all tests, those of the dashboard in a browser, the comparison of cron lines, and short runs of the soak, the
/// fuzz targets and the fault harness.
pub(crate) fn test() -> Result<()> {
    run(cargo(&["fmt", "--all", "--check"]))?;
    run(cargo(&["fmt", "--manifest-path", "plugins/Cargo.toml", "--all", "--check"]))?;
    pooler::install()?;
    plugins::build()?;
    dashboard::build()?;
    run(cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    let mut guests =
        cargo(&["clippy", "--manifest-path", "plugins/Cargo.toml", "--workspace", "--release", "--lib", "--examples"]);
    guests.args(["--target", crate::wasm::TARGET, "--target-dir", "target/wasm", "--", "-D", "warnings"]);
    run(guests)?;
    let mut docs = cargo(&["doc", "--workspace", "--no-deps", "--document-private-items"]);
    docs.env("RUSTDOCFLAGS", "-D warnings");
    run(docs)?;
    // The daemon that the tests start. All targets at once, so that the libraries are built with the same features as for the
    // tests below, and only once.
    run(cargo(&["build", "--workspace", "--all-targets"]))?;
    run(cargo(&[
        "test",
        "--manifest-path",
        "plugins/Cargo.toml",
        "--package",
        "export-csv",
        "--target-dir",
        "target/gallery",
    ]))?;
    run(cargo(&["test", "--workspace", "--doc"]))?;
    let has_nextest = output(program("cargo", ["nextest", "--version"])).is_ok();
    // A snapshot that changed is a failure, never a file that is written in passing.
    let mut tests = match has_nextest {
        true => cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]),
        false => cargo(&["test", "--workspace", "--no-fail-fast", "--lib", "--bins", "--tests"]),
    };
    tests.env("INSTA_UPDATE", "no");
    // One server for all tests of the run: each makes a database of its own on it.
    let cluster = match windlass_test_cluster::given() {
        Some(_) => None,
        None => Some(Cluster::start(&[])?),
    };
    if let Some(cluster) = &cluster {
        tests.env(URL, cluster.url("postgres"));
    }
    run(tests)?;
    cron::run_built(&[])?;
    browser::run_built(&[])?;
    soak::run_built(false, &["--jobs".to_owned(), "3000".to_owned()])?;
    fuzz::fuzz(None, FUZZ_SECONDS)?;
    // Last, because its daemon is another one: with fail points.
    faults::run_built(&[])
}
