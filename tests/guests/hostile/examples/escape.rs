//! Tries to touch what lies outside of its directories: `files` and `folders` by every means there is, `links` and what is behind them
//! by those that follow a link. Says what it could do.

use std::fs;

use hostile::Said;
use hostile::serde_json::{Value, json};

fn attempt(args: Value) -> Said {
    let list = |name: &str| args[name].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut done = Vec::new();
    let mut note = |what: &str, path: &str, worked: bool| {
        if worked {
            done.push(format!("{what} {path}"));
        }
    };
    for path in list("files").chain(list("links")) {
        note("read", path, fs::read(path).is_ok());
        note("look at", path, fs::metadata(path).is_ok());
        note("write", path, fs::OpenOptions::new().append(true).open(path).is_ok());
        note("list", path, fs::read_dir(path).is_ok());
        note("make inside", path, fs::File::create(format!("{path}/made")).is_ok());
        note("remove inside", path, fs::remove_file(format!("{path}/victim")).is_ok());
    }
    for path in list("folders") {
        note("list", path, fs::read_dir(path).is_ok());
        note("look at", path, fs::metadata(path).is_ok());
        note("make inside", path, fs::File::create(format!("{path}/made")).is_ok());
        note("make a folder inside", path, fs::create_dir(format!("{path}/folder")).is_ok());
        note("read inside", path, fs::read(format!("{path}/victim")).is_ok());
        note("remove inside", path, fs::remove_file(format!("{path}/victim")).is_ok());
        let own = fs::write("/tmp/own", "mine").and_then(|()| fs::rename("/tmp/own", format!("{path}/moved")));
        note("move into", path, own.is_ok());
    }
    for path in list("files") {
        note("link", path, fs::hard_link(path, "/out/linked").is_ok());
        note("copy", path, fs::copy(path, "/out/copied").is_ok());
        note("cut", path, fs::OpenOptions::new().write(true).truncate(true).open(path).is_ok());
        note("move", path, fs::rename(path, "/out/moved").is_ok());
        note("remove", path, fs::remove_file(path).is_ok());
    }
    Ok(json!({ "done": done }))
}

hostile::plugin!(attempt);
