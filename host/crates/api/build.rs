//! Lists the files of the dashboard, if `cargo xtask dashboard` has built it, so that they become part of the binary. It builds
//! nothing itself: neither npm nor the network has a place in a build of this crate.

#![expect(clippy::disallowed_methods, reason = "cargo tells a build script by the environment where things are")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Where `cargo xtask dashboard` puts it, from this crate.
const BUILT: &str = "../../../target/dashboard/dist";

fn main() -> io::Result<()> {
    let built = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join(BUILT);
    // What does not exist counts as changed in every build. Where it cannot be made, that is all that happens.
    let _ = fs::create_dir_all(&built);
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={BUILT}");

    let mut files = Vec::new();
    if built.is_dir() {
        gather(&built, "", &mut files)?;
    }
    files.sort();
    let mut list = String::from("&[\n");
    for (path, file) in files {
        let kind = content_type(&path);
        let _ =
            writeln!(list, "    File {{ path: {path:?}, content_type: {kind:?}, bytes: include_bytes!({file:?}) }},");
    }
    list.push_str("]\n");
    fs::write(Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join("dashboard.rs"), list)
}

/// Adds the files of a folder, each as its path in a URL and its place on the disk.
fn gather(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        match entry.file_type()?.is_dir() {
            true => gather(&entry.path(), &path, files)?,
            false => files.push((path, entry.path())),
        }
    }
    Ok(())
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("md" | "txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
