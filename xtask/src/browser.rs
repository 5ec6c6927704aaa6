//! The dashboard's tests, in a real browser against real daemons.

use anyhow::{Context, Result};

use crate::npm::{Npm, hash};
use crate::packages;
use crate::shell::{output, program, target};

/// By which names a Chromium goes.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Runs them with the daemon and the guests that are built, and with these flags for Playwright. Screenshots are left in
/// target/dashboard/screenshots.
pub(crate) fn run_built(flags: &[String]) -> Result<()> {
    let browser = browser()?;
    let npm = Npm::of("tests/dashboard")?;
    let stamp = target().join("dashboard/tests-checked");
    let now = hash(&npm.sources()?)?;
    if std::fs::read_to_string(&stamp).is_ok_and(|last| last == now) {
        println!("The types of the dashboard's tests are checked already");
    } else {
        npm.run(&["run", "--silent", "check"])?;
        std::fs::write(stamp, now)?;
    }
    let mut command = program("npm", ["test", "--silent", "--prefix", "tests/dashboard", "--"]);
    command.args(flags).env("WINDLASS_TEST_BROWSER", browser);
    crate::shell::run(command)
}

/// The name of a Chromium that runs here.
fn browser() -> Result<&'static str> {
    let find = || NAMES.into_iter().find(|name| output(program(name, ["--version"])).is_ok());
    if let Some(found) = find() {
        return Ok(found);
    }
    let missing = "the tests of the dashboard need Chromium; on Debian and its kin: apt-get install chromium";
    packages::install(&["chromium"], missing)?;
    find().context(missing)
}
