//! Tries to read, to write, to list, to make and to remove what lies outside of its directories: at each of `paths`, which the
//! test chooses. Says what it could do.

use std::fs;

use hostile::Said;
use hostile::serde_json::{Value, json};

fn attempt(args: Value) -> Said {
    let paths = args["paths"].as_array().cloned().unwrap_or_default();
    let mut done = Vec::new();
    for path in paths.iter().filter_map(Value::as_str) {
        let mut note = |what: &str, worked: bool| {
            if worked {
                done.push(format!("{what} {path}"));
            }
        };
        note("read", fs::read(path).is_ok());
        note("look at", fs::metadata(path).is_ok());
        note("list", fs::read_dir(path).is_ok());
        note("write", fs::OpenOptions::new().write(true).open(path).is_ok());
        note("make", fs::File::create_new(format!("{path}.made")).is_ok());
        note("make a folder", fs::create_dir(format!("{path}.folder")).is_ok());
        note("link", fs::hard_link(path, "/out/linked").is_ok());
        note("move", fs::rename(path, "/out/moved").is_ok());
        note("remove", fs::remove_file(path).is_ok());
    }
    Ok(json!({ "done": done }))
}

hostile::plugin!(attempt);
