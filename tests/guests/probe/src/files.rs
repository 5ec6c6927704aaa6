//! What it does with files and the environment.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use windlass_guest::{Job, TaskError, cancelled};

pub(crate) fn write_out(files: &BTreeMap<String, String>) -> Result<Value, TaskError> {
    for (name, content) in files {
        let path = Path::new("/out").join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, content)?;
    }
    Ok(json!({ "files": files.len() }))
}

pub(crate) fn wait_for(job: &Job, path: &str) -> Result<Value, TaskError> {
    job.progress().step(1).info(format!("Waiting for {path}")).report();
    while !Path::new(path).exists() {
        if job.is_cancelled() {
            return Err(cancelled());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(json!({ "found": path }))
}

pub(crate) fn append(path: &str, line: &str) -> Result<Value, TaskError> {
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(format!("{line}\n").as_bytes())?;
    Ok(Value::Null)
}

/// One file for each start, of a name that no other start has: `JOB.ATTEMPT.CHANCE.start`, at the end renamed to `….end`. So
/// what a crash leaves behind is always whole.
pub(crate) fn witness(job: &Job, folder: &Path, span: Duration) -> Result<(), TaskError> {
    let chance = RandomState::new().hash_one(0);
    let name = format!("{}.{}.{chance:016x}", job.id(), job.attempt());
    let started = folder.join(format!("{name}.start"));
    std::fs::File::create_new(&started)?;
    std::thread::sleep(span);
    Ok(std::fs::rename(&started, folder.join(format!("{name}.end")))?)
}

#[expect(clippy::disallowed_methods, reason = "a guest has no settings; its environment is what was granted")]
pub(crate) fn env(name: &str) -> Value {
    std::env::var(name).map_or(Value::Null, Value::String)
}
