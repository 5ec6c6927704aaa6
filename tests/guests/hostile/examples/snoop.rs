//! Looks for what an earlier job left in /tmp, in /out and in the environment, then leaves a mark of its own in both directories.

use hostile::Said;
use hostile::serde_json::{Value, json};
use wasip2::cli::environment;
use wasip2::filesystem::preopens::get_directories;

fn attempt(_: Value) -> Said {
    let mut found: Vec<String> = Vec::new();
    for folder in ["/tmp", "/out", "/"] {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        found.extend(entries.map(|entry| entry.path().to_string_lossy().into_owned()));
    }
    let directories: Vec<String> = get_directories().into_iter().map(|(_, name)| name).collect();
    for folder in ["/tmp", "/out"] {
        let made = std::fs::create_dir(format!("{folder}/mark.folder"));
        if made.and_then(|()| std::fs::write(format!("{folder}/mark"), "a secret of this job")).is_err() {
            found.push(format!("{folder}: it cannot be written"));
        }
    }
    Ok(json!({ "found": found, "directories": directories, "environment": environment::get_environment() }))
}

hostile::plugin!(attempt);
