//! Builds the hostile plugins (tests/guests/hostile) into target/guests/hostile.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::plugins::place_bytes;
use crate::shell::{root, target};

/// Takes what cargo built from the examples, and makes components of the texts.
pub(crate) fn build(examples: &Path) -> Result<()> {
    let folder = target().join("guests/hostile");
    let source = root().join("tests/guests/hostile");
    let mut count = 0;
    for name in names(&source.join("examples"), ".rs")? {
        let built = examples.join(format!("{name}.wasm"));
        place_bytes(fs::read(&built).with_context(|| format!("there is no {}", built.display()))?, &folder, &name)?;
        count += 1;
    }
    let texts = source.join("wat");
    let read = |name: &str| fs::read_to_string(texts.join(name)).with_context(|| format!("cannot read {name}"));
    let (shell, describe) = (read("shell.wat")?, read("describe.wat")?);
    for stem in names(&texts, ".wat")? {
        let text = read(&format!("{stem}.wat"))?;
        let (name, whole) = match stem.split_once('.') {
            Some((name, "component" | "module")) => (name, text),
            _ if matches!(stem.as_str(), "shell" | "describe") => continue,
            _ => {
                let more = if text.contains("(export \"describe\")") { describe.as_str() } else { "" };
                (stem.as_str(), shell.replace("{core}", &text).replace("{more}", more))
            }
        };
        let bytes = wat::parse_str(&whole).with_context(|| format!("wat/{stem}.wat"))?;
        place_bytes(bytes, &folder, name)?;
        count += 1;
    }
    ensure!(count > 50, "only {count} hostile plugins were found");
    Ok(())
}

/// The names of the files in a folder that end in this way, without it.
fn names(folder: &Path, ending: &str) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let file = entry?.file_name().to_string_lossy().into_owned();
        names.extend(file.strip_suffix(ending).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}
