//! Builds the guests and puts them where the daemon and the tests look for them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::hostile;
use crate::shell::{cargo, root, run, target};
use crate::wasm;

/// The plugins of the gallery.
const GALLERY: [&str; 3] = ["hello", "export-csv", "noop"];

/// The guests that only the tests run.
const TEST_GUESTS: [&str; 6] = ["probe", "no-describe", "bad-describe", "keeper", "web", "wanting"];

/// Builds all guests from source. What did not change is not written again, so that no daemon reloads it.
pub(crate) fn build() -> Result<()> {
    wasm::install()?;
    run(cargo(&[
        "build",
        "--manifest-path",
        "plugins/Cargo.toml",
        "--workspace",
        "--lib",
        "--examples",
        "--release",
        "--target",
        wasm::TARGET,
        "--target-dir",
        "target/wasm",
    ]))?;
    let built = target().join("wasm").join(wasm::TARGET).join("release");
    for name in GALLERY {
        place(&built, name, &target().join("plugins"))?;
        let grants = format!("{name}.toml");
        copy(&root().join("plugins").join(name).join(&grants), &target().join("plugins").join(&grants))?;
    }
    for name in TEST_GUESTS {
        place(&built, name, &target().join("guests"))?;
    }
    hostile::build(&built.join("examples"))?;
    println!("The plugins are in target/plugins: {}", GALLERY.join(", "));
    Ok(())
}

fn place(built: &Path, name: &str, folder: &Path) -> Result<()> {
    copy(&built.join(format!("{}.wasm", name.replace('-', "_"))), &folder.join(format!("{name}.wasm")))
}

/// Copies a file if its bytes differ, by way of a rename: whoever reads the target sees the old file or the new one.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    write(bytes, to)
}

/// Puts a component into a folder under its name, in the same way.
pub(crate) fn place_bytes(bytes: Vec<u8>, folder: &Path, name: &str) -> Result<()> {
    write(bytes, &folder.join(format!("{name}.wasm")))
}

fn write(bytes: Vec<u8>, to: &Path) -> Result<()> {
    if fs::read(to).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    let half = to.with_extension("new");
    fs::write(&half, bytes).with_context(|| format!("cannot write {}", half.display()))?;
    fs::rename(&half, to).with_context(|| format!("cannot write {}", to.display()))
}
