//! Gets the peers from their registries, each in a version that is pinned, into a folder of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::peer::{Peer, Program};

/// The target of the component that obelisk runs.
const WASM: &str = "wasm32-wasip2";

/// Where the peers are.
#[derive(Debug)]
pub(crate) struct Installed {
    folder: PathBuf,
}

impl Installed {
    /// Installs what these peers need. What is there already is looked at and left.
    pub(crate) fn install(folder: &Path, peers: &[&Peer]) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let installed = Self { folder: folder.canonicalize()? };
        let needs = |wanted: fn(&Program) -> bool| peers.iter().any(|peer| wanted(&peer.program));
        if needs(|program| matches!(program, Program::Node(_) | Program::Obelisk(_))) {
            installed.node()?;
        }
        if needs(|program| matches!(program, Program::Python(_) | Program::Obelisk(_))) {
            installed.python()?;
        }
        if needs(|program| matches!(program, Program::Crate(_))) {
            installed.crates()?;
        }
        if let Some(obelisk) = peers.iter().find(|peer| matches!(peer.program, Program::Obelisk(_))) {
            installed.obelisk(obelisk.version)?;
        }
        Ok(installed)
    }

    /// The command that runs a peer, without its arguments.
    pub(crate) fn command(&self, program: Program) -> Command {
        match program {
            Program::Node(script) | Program::Obelisk(script) => {
                let mut node = Command::new(self.folder.join("node/node_modules/.bin/node"));
                // Its SQLite is still called experimental, at each start.
                node.arg("--no-warnings").arg(self.folder.join("node").join(script));
                node
            }
            Program::Python(script) => {
                let mut python = Command::new(self.folder.join("python/bin/python"));
                python.arg(sources().join(script));
                python
            }
            Program::Crate(name) => Command::new(self.folder.join("build/crates/release").join(name)),
        }
    }

    /// Where obelisk and its component are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The scripts go beside what they import, since Node looks for that from where they are.
    fn node(&self) -> Result<()> {
        let folder = self.folder.join("node");
        fs::create_dir_all(&folder)?;
        let lock = fs::read(sources().join("package-lock.json"))?;
        let is_installed = folder.join("node_modules/.bin/node").is_file()
            && fs::read(folder.join("package-lock.json")).is_ok_and(|found| found == lock);
        for entry in fs::read_dir(sources())?.flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == "mjs" || extension == "json") {
                fs::copy(&path, folder.join(entry.file_name()))?;
            }
        }
        if is_installed {
            return Ok(());
        }
        let mut npm = Command::new("npm");
        // Node itself comes as a package, which puts its program in place by a script.
        npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts=false"]).current_dir(&folder);
        run(npm)
    }

    fn python(&self) -> Result<()> {
        let folder = self.folder.join("python");
        let (wanted, done) = (sources().join("requirements.txt"), folder.join("requirements.txt"));
        if fs::read(&done).is_ok_and(|found| fs::read(&wanted).is_ok_and(|wanted| wanted == found)) {
            return Ok(());
        }
        let mut venv = Command::new("python3");
        venv.args(["-m", "venv"]).arg(&folder);
        run(venv)?;
        let mut pip = Command::new(folder.join("bin/pip"));
        pip.args(["install", "--quiet", "--no-deps", "--requirement"]).arg(&wanted);
        run(pip)?;
        fs::copy(wanted, done)?;
        Ok(())
    }

    fn crates(&self) -> Result<()> {
        let mut cargo = self.cargo("crates");
        cargo.args(["--release", "--package", "peer-apalis", "--package", "peer-graphile-worker"]);
        run(cargo)
    }

    /// As its README tells, which takes minutes: it has wasmtime in it. It needs a `protoc`, and here that is the one from PyPI.
    fn obelisk(&self, version: &str) -> Result<()> {
        let mut component = self.cargo("component");
        component.args(["--profile", "component", "--package", "obelisk-noop", "--target", WASM]);
        run(component)?;
        let built = self.folder.join("build/component").join(WASM).join("component/obelisk_noop.wasm");
        fs::copy(&built, self.folder.join("obelisk-noop.wasm"))
            .with_context(|| format!("cannot copy {}", built.display()))?;
        let root = self.folder.join("obelisk");
        let said = Command::new(root.join("bin/obelisk")).arg("--version").output();
        if said.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).trim().ends_with(version)) {
            return Ok(());
        }
        let protoc = self.folder.join("protoc");
        let python = self.folder.join("python/bin/python");
        fs::write(&protoc, format!("#!/bin/sh\nexec '{}' -m grpc_tools.protoc -I. \"$@\"\n", python.display()))?;
        let mut chmod = Command::new("chmod");
        chmod.arg("+x").arg(&protoc);
        run(chmod)?;
        let mut cargo = cargo();
        cargo.args(["install", "obelisk", "--version", version, "--locked", "--force", "--root"]).arg(root);
        // Kept until it is done, so that a build that was broken off goes on; gigabytes that nobody needs afterwards.
        let building = self.folder.join("build/obelisk");
        cargo.arg("--target-dir").arg(&building).env("PROTOC", protoc);
        run(cargo)?;
        fs::remove_dir_all(building).context("cannot remove what obelisk was built from")
    }

    /// A build of the workspace in `peers`, into a folder of its own: another target means other features of the same crates.
    fn cargo(&self, folder: &str) -> Command {
        let mut cargo = cargo();
        cargo.args(["build", "--locked", "--manifest-path"]).arg(sources().join("Cargo.toml"));
        cargo.arg("--target-dir").arg(self.folder.join("build").join(folder));
        cargo
    }
}

/// With the release profile that a crate has itself, whatever was set for our own build.
fn cargo() -> Command {
    let mut cargo = Command::new("cargo");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PROFILE_") {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Where the scripts and the workspace of the peers are.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers")
}

/// Shows what is run; its output goes to standard error, so that standard output has only figures.
fn run(mut command: Command) -> Result<()> {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let shown = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    eprintln!("$ {shown}");
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = child.with_context(|| format!("cannot run `{shown}`: is it installed?"))?;
    if let Some(mut said) = child.stdout.take() {
        std::io::copy(&mut said, &mut std::io::stderr())?;
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{shown}` failed: {status}");
    }
    Ok(())
}
