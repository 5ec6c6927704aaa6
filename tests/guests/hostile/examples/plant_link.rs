//! Plants symbolic links to `targets` in its own directories and in a granted one, and tries to go through them. Says what it could
//! plant and what it could read.

use hostile::Said;
use hostile::serde_json::{Value, json};
use wasip2::filesystem::preopens::get_directories;

fn attempt(args: Value) -> Said {
    let targets = args["targets"].as_array().cloned().unwrap_or_default();
    let (mut planted, mut read) = (Vec::new(), Vec::new());
    for (directory, name) in get_directories() {
        for (number, target) in targets.iter().filter_map(Value::as_str).enumerate() {
            let link = format!("link-{number}");
            if directory.symlink_at(target, &link).is_ok() {
                planted.push(format!("{name}/{link} -> {target}"));
            }
            let through = format!("{name}/{link}");
            if std::fs::read(&through).is_ok() || std::fs::read_dir(&through).is_ok() {
                read.push(format!("{through} -> {target}"));
            }
            // One more way: the link as a folder in the middle of a path.
            for inside in ["passwd", "windlass.db", "probe.wasm"] {
                if std::fs::metadata(format!("{through}/{inside}")).is_ok() {
                    read.push(format!("{through}/{inside} -> {target}"));
                }
            }
        }
    }
    Ok(json!({ "planted": planted, "read": read }))
}

hostile::plugin!(attempt);
