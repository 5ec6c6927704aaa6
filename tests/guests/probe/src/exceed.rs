//! What goes to a limit and beyond.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};
use windlass_guest::{Job, TaskError};

/// Writes files until one cannot be written, and says how many were and why no more.
pub(crate) fn fill(folder: &Path, files: u32, bytes: usize, panics: bool) -> Value {
    let content = vec![b'x'; bytes];
    for n in 0..files {
        if let Err(error) = fs::write(folder.join(n.to_string()), &content) {
            assert!(!panics, "{error}");
            return json!({ "files": n, "error": error.kind().to_string() });
        }
    }
    json!({ "files": files })
}

/// Writes one file, removes it, and writes on: what it holds is in no folder.
pub(crate) fn fill_removed(path: &Path, bytes: usize, times: u32) -> Result<Value, TaskError> {
    let content = vec![b'x'; bytes];
    let mut kept = Vec::new();
    for n in 0..times {
        let mut file = File::create(path)?;
        fs::remove_file(path)?;
        if file.write_all(&content).is_err() {
            return Ok(json!({ "files": n }));
        }
        kept.push(file);
    }
    Ok(json!({ "files": times }))
}

/// Opens a file again and again, and closes none.
pub(crate) fn open(path: &Path, times: u32) -> Result<Value, TaskError> {
    fs::write(path, "x")?;
    let files: Result<Vec<_>, _> = (0..times).map(|_| File::open(path)).collect();
    Ok(json!({ "open": files?.len() }))
}

/// Moves or links a file.
pub(crate) fn relocate(from: &Path, to: &Path, links: bool) -> Value {
    let done = if links { fs::hard_link(from, to) } else { fs::rename(from, to) };
    json!({ "done": done.is_ok() })
}

/// Counts what is in a folder.
pub(crate) fn list(folder: &Path) -> Result<Value, TaskError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(json!({ "count": names.len(), "first": names.first() }))
}

/// Reports steps as fast as it can.
pub(crate) fn report(job: &Job, times: u32) -> Value {
    for step in 1..=times {
        job.progress().step(step).report();
    }
    json!({ "times": times })
}
