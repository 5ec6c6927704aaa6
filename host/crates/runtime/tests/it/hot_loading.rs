//! Plugins that change while the daemon runs.

use std::sync::Arc;

use tokio_util::sync::{CancellationToken, DropGuard};
use windlass_model::ErrorKind;

use crate::bench::{Bench, Recorder, failed, guest_bytes, job, name, output};

/// Watches until the guard is dropped.
fn watch(bench: &Bench) -> DropGuard {
    let stop = CancellationToken::new();
    tokio::spawn(Arc::clone(&bench.runtime).watch(stop.clone()));
    stop.drop_guard()
}

fn digest(bench: &Bench, task: &str) -> Option<String> {
    bench.info(task)?.version.map(|version| version.digest)
}

#[tokio::test]
async fn a_new_file_is_noticed_and_a_removed_one_too() {
    let bench = Bench::with(&[]).await;
    let _watching = watch(&bench);
    bench.put("echo.wasm", &guest_bytes("no-describe"));
    bench.until("echo is loaded", |bench| digest(bench, "echo").is_some()).await;
    std::fs::remove_file(bench.path("plugins/echo.wasm")).unwrap();
    bench.until("echo is gone", |bench| bench.info("echo").is_none()).await;
    assert!(bench.runtime.loaded().is_empty());
}

#[tokio::test]
async fn a_hot_swap_does_not_disturb_a_running_job() {
    let bench = Bench::with(&[]).await;
    bench.put("task.wasm", &guest_bytes("probe"));
    std::fs::create_dir(bench.path("data/gate")).unwrap();
    bench.put("task.toml", b"enqueue = []\n[[directory]]\nhost = 'gate'\nguest = '/gate'\nmode = 'read'");
    bench.runtime.load_all().await;
    let old = digest(&bench, "task");
    let _watching = watch(&bench);
    let host = Arc::new(Recorder::default());
    let running = bench.attempt(job("task", r#"{"do":"wait_file","path":"/gate/open"}"#), &host);
    let swap = async {
        host.started().await;
        bench.put("task.wasm", &guest_bytes("no-describe"));
        bench.until("the new version is in service", |bench| digest(bench, "task") != old).await;
        let new = bench.attempt(job("task", r#"{"echo":1}"#), &Arc::default()).await;
        assert_eq!(output(&new.outcome), r#"{"echo":1}"#);
        assert_eq!(new.plugin_digest, digest(&bench, "task"));
        std::fs::write(bench.path("data/gate/open"), "").unwrap();
    };
    let (report, ()) = tokio::join!(running, swap);
    assert_eq!(output(&report.outcome), r#"{"found":"/gate/open"}"#);
    assert_eq!(report.plugin_digest, old);
}

#[tokio::test]
async fn a_broken_component_leaves_the_old_one_in_service_and_says_why() {
    let bench = Bench::with(&["no-describe"]).await;
    let before = digest(&bench, "no-describe");
    let _watching = watch(&bench);
    bench.put("no-describe.wasm", b"junk");
    let refused = |bench: &Bench| bench.info("no-describe").unwrap().load_error.is_some();
    bench.until("it is refused", refused).await;
    assert_eq!(bench.load_error("no-describe"), "the file is not WebAssembly");
    assert_eq!(digest(&bench, "no-describe"), before);
    assert_eq!(output(&bench.run("no-describe", "{}").await.0), "{}");
    // The right file takes the error away.
    bench.put("no-describe.wasm", &guest_bytes("no-describe"));
    bench.until("it is well again", |bench| !refused(bench)).await;
}

#[tokio::test]
async fn a_file_that_is_written_slowly_is_loaded_when_it_is_whole() {
    let bench = Bench::with(&[]).await;
    let _watching = watch(&bench);
    let whole = guest_bytes("probe");
    for end in [whole.len() / 3, whole.len() / 2, whole.len()] {
        bench.put("probe.wasm", &whole[..end]);
        // A pause shorter than the one after which a file counts as written, and one that is longer.
        let pause = if end == whole.len() / 3 { 50 } else { 600 };
        tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
    }
    let well = |bench: &Bench| bench.info("probe").is_some_and(|i| i.version.is_some() && i.load_error.is_none());
    bench.until("the whole file is loaded", well).await;
}

#[tokio::test]
async fn a_changed_grants_file_changes_what_the_next_job_may_touch() {
    let bench = Bench::with(&["probe"]).await;
    let _watching = watch(&bench);
    let shown = |bench: &Bench| bench.info("probe").unwrap().version.unwrap().grants.as_str().to_owned();
    let env = r#"{"do":"env","name":"REGION"}"#;
    assert_eq!(output(&bench.run("probe", env).await.0), "null");
    bench.put("probe.toml", b"enqueue = []\n[env]\nREGION = 'north'");
    bench.until("the grant is there", |bench| shown(bench).contains("REGION")).await;
    assert_eq!(output(&bench.run("probe", env).await.0), "\"north\"");
    bench.put("probe.toml", b"enqueue = []\n[env]\nREGION = 5\nsize = true");
    bench.until("it is refused", |bench| bench.info("probe").unwrap().load_error.is_some()).await;
    let said = bench.load_error("probe");
    assert!(said.contains("`env.REGION`: a value is a string") && said.contains("`env.size`"), "{said}");
    bench.put("probe.toml", b"enqueue = []");
    bench.until("the grant is gone", |bench| !shown(bench).contains("REGION")).await;
    assert_eq!(output(&bench.run("probe", env).await.0), "null");
    assert!(bench.info("probe").unwrap().load_error.is_none());
}

#[tokio::test]
async fn a_granted_directory_that_is_made_later_heals_the_plugin() {
    let bench = Bench::bounded(|_| {});
    bench.put("probe.toml", b"enqueue = []\n[[directory]]\nhost = 'exports'\nguest = '/data'\nmode = 'read'");
    bench.put("probe.wasm", &guest_bytes("probe"));
    bench.runtime.load_all().await;
    let _watching = watch(&bench);
    assert!(digest(&bench, "probe").is_none());
    std::fs::create_dir(bench.path("data/exports")).unwrap();
    bench.until("it is in service", |bench| digest(bench, "probe").is_some()).await;
    let (outcome, _) = bench.run("probe", r#"{"do":"read","path":"/data/none"}"#).await;
    failed(outcome, ErrorKind::Retryable);
}

#[tokio::test]
async fn a_running_job_of_a_removed_plugin_ends_in_peace() {
    let bench = Bench::with(&["probe"]).await;
    let _watching = watch(&bench);
    let host = Arc::new(Recorder::default());
    let running = bench.attempt(job("probe", r#"{"do":"wait_file","path":"/tmp/never"}"#), &host);
    let remove = async {
        host.started().await;
        std::fs::remove_file(bench.path("plugins/probe.wasm")).unwrap();
        bench.until("it is gone", |bench| bench.runtime.task(&name("probe")).is_none()).await;
        let scratch = std::fs::read_dir(bench.path("work")).unwrap().next().unwrap().unwrap().path();
        std::fs::write(scratch.join("tmp/never"), "").unwrap();
    };
    let (report, ()) = tokio::join!(running, remove);
    assert_eq!(output(&report.outcome), r#"{"found":"/tmp/never"}"#);
}
