//! Plugins that look for a way out of their directories.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use super::yard::Yard;

/// One directory to write, one to read.
const GRANTS: &str = "[[directory]]\nhost = \"shared\"\nguest = \"/data\"\nmode = \"write\"\n\n\
                      [[directory]]\nhost = \"plugins\"\nguest = \"/only\"\nmode = \"read\"\n";

/// What stands in the file that nobody may touch.
const SECRET: &str = "the secret of somebody else";

/// A daemon whose data directory holds, beside what is granted, a file and a folder with one that nobody may touch.
async fn yard_with_a_victim(plugin: &str) -> Yard {
    let yard = Yard::granted(&[(plugin, GRANTS)]).await;
    let folder = yard.daemon.path();
    fs::create_dir_all(folder.join("private")).unwrap();
    for victim in ["victim", "private/victim"] {
        fs::write(folder.join(victim), SECRET).unwrap();
    }
    yard
}

/// Says what became of the files that nobody may touch, and of the folders around them.
fn harm(yard: &Yard) -> Vec<String> {
    let folder = yard.daemon.path();
    let mut harm = Vec::new();
    for victim in ["victim", "private/victim"] {
        if fs::read_to_string(folder.join(victim)).ok().as_deref() != Some(SECRET) {
            harm.push(format!("{victim} was changed"));
        }
    }
    for place in ["", "private", "plugins", "work"] {
        for made in ["made", "folder", "moved"] {
            if folder.join(place).join(made).exists() {
                harm.push(format!("{place}/{made} was made"));
            }
        }
    }
    harm
}

#[tokio::test]
async fn no_path_leads_out_of_the_directories_that_are_granted() {
    let yard = yard_with_a_victim("escape").await;
    let root = yard.daemon.path().to_str().unwrap().to_owned();
    // What an operator, or another program with rights there, may have left in a granted directory.
    let shared = yard.daemon.path().join("shared");
    fs::create_dir(shared.join("sub")).unwrap();
    for (link, target) in [
        ("to-file", format!("{root}/victim")),
        ("to-file-by-dots", "../victim".to_owned()),
        ("to-folder", format!("{root}/private")),
        ("to-folder-by-dots", "../private".to_owned()),
        ("to-root", "/".to_owned()),
        ("to-itself", "to-itself".to_owned()),
        ("to-link", "to-folder".to_owned()),
        ("sub/to-file", "../../victim".to_owned()),
    ] {
        symlink(target, shared.join(link)).unwrap();
    }
    // And what is inside, to see that each means works where it may.
    fs::write(shared.join("inside"), "mine").unwrap();
    symlink("inside", shared.join("to-inside")).unwrap();
    let files = [
        "/data/inside",
        "../victim",
        "/data/../victim",
        "/data/../victim/",
        "/data//..//victim",
        "/data/./../victim",
        "/data/sub/../../victim",
        "/tmp/../../../victim",
        "/out/../../../../victim",
        "/victim",
        "victim",
        "/data/../private/victim",
        "/only/../victim",
        "/only/../private/victim",
        "/../victim",
        "//data/..//victim",
        "/data/..\\victim",
        "/data/sub/../../private/victim",
    ];
    let folders = [
        "..",
        "/data/..",
        "/data/../",
        "/data/../.",
        "/data/sub/../..",
        "/tmp/..",
        "/tmp/../..",
        "/out/..",
        "/only/..",
        "/only",
        "/data/../private",
        "/data/../plugins",
        "/data/../work",
        "/..",
        "/private",
    ];
    let links = [
        "/data/to-inside",
        "/data/to-file",
        "/data/to-file/",
        "/data/to-file-by-dots",
        "/data/to-folder",
        "/data/to-folder/",
        "/data/to-folder/.",
        "/data/to-folder/victim",
        "/data/to-folder-by-dots/victim",
        "/data/to-root/etc/passwd",
        "/data/to-itself",
        "/data/to-link",
        "/data/to-link/victim",
        "/data/to-folder/../victim",
        "/data/sub/to-file",
        "/etc/passwd",
        "/etc/passwd/",
        "/proc/self/environ",
        "/proc/self/cwd/victim",
        "/data/../../../../../../../../etc/passwd",
        "/dev/null",
        "../../../../../../etc/passwd",
    ];
    let absolute = [format!("{root}/victim"), format!("/data/{root}/victim"), format!("{root}/shared/../victim")];
    let files: Vec<&str> = files.into_iter().chain(absolute.iter().map(String::as_str)).collect();
    let ending = yard.run("escape", json!({ "files": files, "folders": folders, "links": links })).await;
    assert_eq!(ending.state, "completed", "{}", ending.message);
    let inside = ["read", "look at", "write"].map(|what| format!("{what} /data/inside"));
    let linked = ["read", "look at", "write"].map(|what| format!("{what} /data/to-inside"));
    let only = ["list", "look at"].map(|what| format!("{what} /only"));
    // A link or a move from one directory to another is refused as between two devices, since each has a quota of its own.
    let taken = ["copy", "cut", "remove"].map(|what| format!("{what} /data/inside"));
    let allowed: Vec<_> = [&inside[..], &linked, &only, &taken].concat();
    assert_eq!(ending.output["done"], json!(allowed));
    assert_eq!(harm(&yard), Vec::<String>::new());
    yard.close().await;
}

#[tokio::test]
async fn what_is_granted_to_be_read_cannot_be_written() {
    let yard = yard_with_a_victim("escape").await;
    let ending = yard.run("escape", json!({ "files": ["/only/probe.toml", "/only/probe.wasm"] })).await;
    let mut expected: Vec<String> = Vec::new();
    for file in ["probe.toml", "probe.wasm"] {
        expected.extend([format!("read /only/{file}"), format!("look at /only/{file}")]);
    }
    expected.extend(["probe.toml", "probe.wasm"].map(|file| format!("copy /only/{file}")));
    assert_eq!(ending.output["done"], json!(expected));
    yard.close().await;
}

#[tokio::test]
async fn a_link_that_a_plugin_plants_leads_nowhere() {
    let yard = yard_with_a_victim("plant_link").await;
    let root = yard.daemon.path().to_str().unwrap().to_owned();
    let targets = [
        "/etc",
        "/etc/passwd",
        "..",
        "../..",
        "../victim",
        "../../..",
        "../../../../victim",
        "../plugins",
        "/",
        "/proc/self/root",
        &root,
        "./../victim",
        "sub/../../victim",
        "inside",
    ];
    fs::write(yard.daemon.path().join("shared/inside"), "mine").unwrap();
    for _ in 0..2 {
        let ending = yard.run("plant_link", json!({ "targets": targets })).await;
        // A link to what lies beside it is as good as the file.
        let read = json!([format!("/data/link-{} -> inside", targets.len() - 1)]);
        assert_eq!((ending.state.as_str(), &ending.output["read"]), ("completed", &read), "{}", ending.output);
        // What it may have planted in /out is no artifact.
        assert_eq!(yard.daemon.job(&ending.id).await["artifacts"], json!([]));
    }
    assert_eq!(harm(&yard), Vec::<String>::new());
    yard.close().await;
}

#[tokio::test]
async fn a_job_sees_nothing_of_the_jobs_before_it_and_beside_it() {
    let yard = Yard::of(&["snoop"]).await;
    let seen = json!({ "found": [], "directories": ["/out", "/tmp"], "environment": [] });
    for _ in 0..5 {
        let runs: Vec<_> = (0..8).map(|_| yard.run("snoop", json!({}))).collect();
        for ending in futures_util::future::join_all(runs).await {
            assert_eq!((ending.state.as_str(), &ending.output), ("completed", &seen));
        }
    }
    let work = yard.daemon.path().join("work");
    let daemon = yard.close().await;
    // Nothing is left on the disk either.
    daemon.until_at("/api/v1/queues/default", |queue| queue["jobs"]["running"] == 0).await;
    let left: Vec<_> = fs::read_dir(work).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// What bounds the directories of a job here.
const QUOTAS: &str = "[limits]\nscratch_bytes = 33554432\nartifact_bytes = 33554432\nartifact_files = 1000\n";

#[tokio::test]
async fn what_fills_a_disk_is_refused_while_it_writes() {
    let yard = Yard::granted(&[("fill_tmp", QUOTAS), ("fill_out", QUOTAS), ("many_files", QUOTAS)]).await;
    for task in ["fill_tmp", "fill_out"] {
        // It takes the refusal as an answer, and ends well.
        let ending = yard.run_for(task, json!({}), 60_000).await;
        assert_eq!(ending.state, "completed", "{task}: {}", ending.message);
        let written = ending.output["written_mib"].as_u64().unwrap();
        assert!((30..=32).contains(&written), "{task}: {}", ending.output);
    }
    let ending = yard.run_for("many_files", json!({ "in": "/out" }), 60_000).await;
    assert_eq!((ending.state.as_str(), &ending.output["made"]), ("completed", &json!(1_000)), "{}", ending.message);
    let ending = yard.run_for("many_files", json!({ "in": "/tmp" }), 60_000).await;
    assert_eq!(ending.state, "completed", "{}", ending.message);
    // An empty file is not for nothing: 32 MiB hold 8,192 of them.
    assert_eq!(ending.output["made"], json!(8_192));
    yard.close().await;
}
