//! Makes the target `wasm32-wasip2` available to the active toolchain: from rustup, or where rustup cannot download, built
//! from the distribution's packages of the same compiler's source.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::mirror::mirror;
use crate::shell::{output, program, run, target};

/// What plugins are built for.
pub(crate) const TARGET: &str = "wasm32-wasip2";

/// Does nothing if the target is there.
pub(crate) fn install() -> Result<()> {
    if library_dir(&sysroot()?).join("self-contained").is_dir() {
        return Ok(());
    }
    println!("The target {TARGET} is missing: asking rustup for it");
    let asked = run(program("rustup", ["target", "add", TARGET]));
    if asked.is_ok() && library_dir(&sysroot()?).join("self-contained").is_dir() {
        return Ok(());
    }
    println!("rustup cannot get it: building it from the distribution's packages");
    install_from_packages(None).with_context(|| {
        format!("the target {TARGET} is missing; on a machine with rustup and a network: rustup target add {TARGET}")
    })
}

/// Builds the standard library with the active compiler. Debian's backports carry the source of the compiler that rustup
/// calls stable, and a C library with everything that it links to.
pub(crate) fn install_from_packages(into: Option<PathBuf>) -> Result<()> {
    let into = into.map_or_else(sysroot, Ok)?;
    let version = compiler("release")?;
    let hash = compiler("commit-hash")?;
    let scratch = target().join("wasm-std");
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch)?;
    let packages = Packages::new(&scratch)?;
    packages.fetch(&version)?;

    let source = scratch.join(format!("unpacked/usr/src/rustc-{version}"));
    let libc = scratch.join("unpacked/usr/lib").join(TARGET);
    let built = build(&scratch, &source, &libc, &hash)?;
    let half = into.join("lib/rustlib").join(format!("{TARGET}.new"));
    copy(&built, &libc, &half)?;
    // In one step at the end: half a library would look like a whole one to the next run.
    let place = into.join("lib/rustlib").join(TARGET);
    let _ = fs::remove_dir_all(&place);
    fs::rename(&half, &place).with_context(|| format!("cannot write {}", place.display()))?;
    let _ = fs::remove_dir_all(&scratch);
    println!("Installed {TARGET} for Rust {version} in {}", place.display());
    Ok(())
}

/// Copies the libraries that were built, and what they are linked with, into `place`, which is made anew.
fn copy(built: &Path, libc: &Path, place: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(place);
    let library = place.join("lib");
    fs::create_dir_all(library.join("self-contained"))?;
    for entry in fs::read_dir(built)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("lib") && name.ends_with(".rlib") && !name.starts_with("libstdbuild") {
            fs::copy(&path, library.join(name))?;
        }
    }
    for name in ["crt1-command.o", "crt1-reactor.o", "libc.a"] {
        fs::copy(libc.join(name), library.join("self-contained").join(name))
            .with_context(|| format!("the package wasi-libc has no {name}"))?;
    }
    Ok(())
}

/// A view of the distribution's packages that leaves the system's own lists alone.
struct Packages<'a> {
    scratch: &'a Path,
    options: Vec<String>,
}

impl<'a> Packages<'a> {
    fn new(scratch: &'a Path) -> Result<Self> {
        let mirror = mirror()?;
        for folder in ["lists/partial", "cache/archives/partial", "debs"] {
            fs::create_dir_all(scratch.join(folder))?;
        }
        let keys = "/usr/share/keyrings/debian-archive-keyring.gpg";
        let sources =
            format!("Types: deb\nURIs: {mirror}\nSuites: trixie-backports\nComponents: main\nSigned-By: {keys}\n");
        let list = scratch.join("backports.sources");
        fs::write(&list, sources)?;
        let mut options = vec!["-qq".to_owned()];
        for (key, value) in [
            ("Dir::Etc::sourcelist", list.display().to_string()),
            ("Dir::Etc::sourceparts", "/dev/null".to_owned()),
            ("Dir::State::lists", scratch.join("lists").display().to_string()),
            ("Dir::Cache", scratch.join("cache").display().to_string()),
            ("APT::Sandbox::User", "root".to_owned()),
        ] {
            options.extend(["-o".to_owned(), format!("{key}={value}")]);
        }
        Ok(Self { scratch, options })
    }

    fn apt(&self, name: &str, words: &[&str]) -> std::process::Command {
        let mut command = program(name, &self.options);
        command.args(words).current_dir(self.scratch.join("debs"));
        command
    }

    fn fetch(&self, version: &str) -> Result<()> {
        run(self.apt("apt-get", &["update"]))?;
        let known = output(self.apt("apt-cache", &["madison", "rust-src"]))?;
        let wanted = format!("{version}+");
        let Some(found) =
            known.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim).find(|v| v.starts_with(&wanted))
        else {
            bail!("the distribution has no package rust-src of version {version}");
        };
        run(self.apt("apt-get", &["download", &format!("rust-src={found}"), "wasi-libc"]))?;
        for deb in fs::read_dir(self.scratch.join("debs"))? {
            let unpacked = self.scratch.join("unpacked");
            run(program("dpkg-deb", [Path::new("-x"), &deb?.path(), &unpacked]))?;
        }
        Ok(())
    }
}

fn build(scratch: &Path, source: &Path, libc: &Path, hash: &str) -> Result<PathBuf> {
    let crate_dir = scratch.join("stdbuild");
    fs::create_dir_all(crate_dir.join("src"))?;
    fs::write(crate_dir.join("src/lib.rs"), "")?;
    let manifest = "[package]\nname = \"stdbuild\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n\
                    [profile.release]\nopt-level = 3\ndebug = 0\n";
    fs::write(crate_dir.join("Cargo.toml"), manifest)?;
    // Guests are linked with LTO, which needs the bitcode that cargo would leave out.
    let flags = format!(
        "-Cembed-bitcode=yes -L native={} --remap-path-prefix={}=/rustc/{hash}",
        libc.display(),
        source.display()
    );
    let mut command = program(
        "cargo",
        [
            "build",
            "-Zbuild-std=std,panic_abort,proc_macro,test",
            "--target",
            TARGET,
            "--release",
            "--target-dir",
            "target",
        ],
    );
    command
        .current_dir(&crate_dir)
        .env("RUSTFLAGS", flags)
        // -Zbuild-std looks only into the sysroot otherwise, and is for nightly compilers; both only for this one build.
        .env("__CARGO_TESTS_ONLY_SRC_ROOT", source.join("library"))
        .env("RUSTC_BOOTSTRAP", "1");
    run(command)?;
    Ok(crate_dir.join("target").join(TARGET).join("release/deps"))
}

fn sysroot() -> Result<PathBuf> {
    Ok(PathBuf::from(output(program("rustc", ["--print", "sysroot"]))?.trim()))
}

fn library_dir(sysroot: &Path) -> PathBuf {
    sysroot.join("lib/rustlib").join(TARGET).join("lib")
}

fn compiler(field: &str) -> Result<String> {
    let text = output(program("rustc", ["-vV"]))?;
    let value = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(": "));
    value.map(str::to_owned).with_context(|| format!("rustc does not say its {field}"))
}
