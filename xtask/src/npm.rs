//! Packages from npm, by their locks, and what is made of them.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::packages;
use crate::shell::{output, program, root, run};

/// The oldest Node that the dashboard's tools run on.
const NODE: (u32, u32) = (20, 19);

/// A folder of the tree with a `package.json`.
pub(crate) struct Npm {
    folder: PathBuf,
}

impl Npm {
    /// With the packages of its lock installed. Does nothing if they are.
    pub(crate) fn of(folder: &str) -> Result<Self> {
        install_node()?;
        let npm = Self { folder: root().join(folder) };
        let lock = hash([&npm.folder.join("package-lock.json")])?;
        let stamp = npm.folder.join("node_modules/.installed");
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
            return Ok(npm);
        }
        // No package runs anything of its own here.
        npm.run(&["ci", "--no-audit", "--no-fund", "--ignore-scripts"])?;
        fs::write(stamp, lock)?;
        Ok(npm)
    }

    /// Runs npm there.
    pub(crate) fn run(&self, args: &[&str]) -> Result<()> {
        let mut command = program("npm", args);
        command.current_dir(&self.folder);
        run(command)
    }

    /// All files of the folder but those that npm put there, in order.
    pub(crate) fn sources(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        gather(&self.folder, &mut found)?;
        found.sort();
        Ok(found)
    }
}

/// A number for what these files are called and hold. Another compiler may count otherwise, which costs a build.
pub(crate) fn hash<'a>(files: impl IntoIterator<Item = &'a PathBuf>) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.strip_prefix(root()).unwrap_or(file).hash(&mut hasher);
        fs::read(file).with_context(|| format!("cannot read {}", file.display()))?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn gather(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true if entry.file_name() == "node_modules" => (),
            true => gather(&entry.path(), found)?,
            false => found.push(entry.path()),
        }
    }
    Ok(())
}

/// Does nothing if a Node that is new enough is there.
fn install_node() -> Result<()> {
    let needed = format!("Node {}.{} or later with npm", NODE.0, NODE.1);
    let version = || output(program("npm", ["--version"])).and_then(|_| output(program("node", ["--version"])));
    let found = version().or_else(|_| {
        let missing =
            format!("the dashboard is built with {needed}; on Debian and its kin: apt-get install nodejs npm");
        packages::install(&["nodejs", "npm"], &missing).and_then(|()| version())
    })?;
    let mut parts = found.trim().trim_start_matches('v').split('.').map(str::parse::<u32>);
    let parts = (parts.next().and_then(Result::ok), parts.next().and_then(Result::ok));
    ensure!(parts >= (Some(NODE.0), Some(NODE.1)), "the dashboard is built with {needed}; this is {}", found.trim());
    Ok(())
}
