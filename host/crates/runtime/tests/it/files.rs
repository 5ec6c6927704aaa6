//! What a guest sees of the file system and of the environment, and what is kept of what it writes.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use windlass_model::{Artifact, AttemptOutcome, ErrorKind, JobId};
use windlass_runtime::ArtifactError;

use crate::bench::{Bench, failed, guest_bytes, job, output};

async fn read(bench: &Bench, job: JobId, artifact: &Artifact, range: Option<std::ops::Range<u64>>) -> String {
    let stream = bench.runtime.artifact(job, artifact, range).await.unwrap();
    let chunks: Vec<Bytes> = stream.try_collect().await.unwrap();
    String::from_utf8(chunks.concat()).unwrap()
}

#[tokio::test]
async fn what_a_job_leaves_in_out_is_published_with_its_digest_and_type() {
    let bench = Bench::with(&["probe"]).await;
    let args = r##"{"do":"write_out","files":{"a.csv":"x,y\n","sub/größe 100%#1":"hello"}}"##;
    let mut job = job("probe", args);
    (job.lease, job.attempt) = (7, 2);
    let id = job.id;
    let report = bench.attempt(job, &Arc::default()).await;
    output(&report.outcome);
    let [csv, other] = report.artifacts.as_slice() else { panic!("{:?}", report.artifacts) };
    assert_eq!((csv.name.as_str(), csv.bytes, csv.content_type.as_str(), csv.lease), ("a.csv", 4, "text/csv", 7));
    assert_eq!(csv.sha256.len(), 64);
    assert_eq!(other.name, "sub/größe 100%#1");
    assert_eq!(other.sha256, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    assert_eq!(other.content_type, "application/octet-stream");
    assert_eq!(read(&bench, id, csv, None).await, "x,y\n");
    assert_eq!(read(&bench, id, other, Some(1..4)).await, "ell");
    assert!(!bench.path("work").join(id.to_string()).join("out/7").exists());
}

#[tokio::test]
async fn an_attempt_that_fails_leaves_no_artifact() {
    let bench = Bench::with(&["probe"]).await;
    let job = job("probe", r#"{"do":"write_out_then_fail","name":"half.csv"}"#);
    let id = job.id;
    let report = bench.attempt(job, &Arc::default()).await;
    failed(report.outcome, ErrorKind::Retryable);
    assert!(report.artifacts.is_empty());
    assert!(!bench.path("artifacts").join(id.to_string()).exists());
}

#[tokio::test]
async fn artifacts_are_published_all_or_none() {
    let bench = Bench::with(&["probe"]).await;
    let job = job("probe", r#"{"do":"write_out","files":{"a":"1","b":"2"}}"#);
    let folder = bench.path("artifacts").join(format!("{}/1", job.id));
    // The store cannot put a file where a folder is: `a` is published, `b` fails.
    std::fs::create_dir_all(folder.join("b")).unwrap();
    let report = bench.attempt(job, &Arc::default()).await;
    let AttemptOutcome::HostFault(why) = report.outcome else { panic!("{:?}", report.outcome) };
    assert!(why.starts_with("the artifact `b` could not be published: "), "{why}");
    assert!(report.artifacts.is_empty());
    assert!(!folder.join("a").exists());
}

#[tokio::test]
async fn what_a_crashed_attempt_left_in_out_is_not_published_by_the_next() {
    let bench = Bench::with(&["probe"]).await;
    let job = job("probe", r#"{"do":"write_out","files":{"new":"1"}}"#);
    let out = bench.path("work").join(format!("{}/out/1", job.id));
    std::fs::create_dir_all(&out).unwrap();
    std::fs::write(out.join("old"), "0").unwrap();
    let report = bench.attempt(job, &Arc::default()).await;
    let names: Vec<_> = report.artifacts.iter().map(|artifact| artifact.name.as_str()).collect();
    assert_eq!(names, ["new"]);
}

#[tokio::test]
async fn an_artifact_that_is_gone_is_told_as_that() {
    let bench = Bench::with(&[]).await;
    let artifact = Artifact {
        name: "a".to_owned(),
        bytes: 1,
        content_type: "text/plain".to_owned(),
        sha256: String::new(),
        lease: 1,
    };
    let error = bench.runtime.artifact(job("probe", "{}").id, &artifact, None).await.err();
    assert!(matches!(error, Some(ArtifactError::Gone)));
}

#[tokio::test]
async fn a_job_that_looks_for_no_file_makes_no_directory() {
    let bench = Bench::with(&["probe"]).await;
    let made = || std::fs::read_dir(bench.path("work")).unwrap().count();
    bench.run("probe", r#"{"do":"context"}"#).await;
    assert_eq!(made(), 0);
    bench.run("probe", r#"{"do":"read","path":"/tmp/nothing"}"#).await;
    assert_eq!(made(), 1);
}

#[tokio::test]
async fn scratch_is_kept_between_attempts_and_out_is_not() {
    let bench = Bench::with(&["probe"]).await;
    let first = job("probe", r#"{"do":"append","path":"/tmp/notes","line":"one"}"#);
    let again = |args: &str| {
        let mut next = job("probe", args);
        (next.id, next.lease) = (first.id, 2);
        next
    };
    let host = Arc::default();
    output(&bench.attempt(first.clone(), &host).await.outcome);
    let read = r#"{"do":"read","path":"/tmp/notes"}"#;
    assert_eq!(output(&bench.attempt(again(read), &host).await.outcome), r#""one\n""#);
    // Another job has its own.
    let stranger = bench.attempt(job("probe", read), &host).await;
    failed(stranger.outcome, ErrorKind::Retryable);
    bench.runtime.clean_up(&[first.id]).await;
    assert!(!bench.path("work").join(first.id.to_string()).exists());
    failed(bench.attempt(again(read), &host).await.outcome, ErrorKind::Retryable);
}

#[tokio::test]
async fn a_guest_without_grants_sees_no_environment_and_no_file_of_the_host() {
    let bench = Bench::with(&["probe"]).await;
    let (outcome, _) = bench.run("probe", r#"{"do":"env","name":"PATH"}"#).await;
    assert_eq!(output(&outcome), "null");
    for path in ["/etc/hostname", "/tmp/../etc/hostname", "../../../etc/hostname"] {
        let (outcome, _) = bench.run("probe", &format!(r#"{{"do":"read","path":"{path}"}}"#)).await;
        failed(outcome, ErrorKind::Retryable);
    }
}

#[tokio::test]
async fn what_was_granted_is_there_and_no_more() {
    let bench = Bench::bounded(|_| {});
    for folder in ["in", "results"] {
        std::fs::create_dir(bench.path("data").join(folder)).unwrap();
        std::fs::write(bench.path("data").join(folder).join("seen"), folder).unwrap();
    }
    std::fs::write(bench.path("data").join("secret"), "no").unwrap();
    let grants = r#"
        enqueue = []
        [env]
        REGION = "north"
        [[directory]]
        host = "in"
        guest = "/data"
        mode = "read"
        [[directory]]
        host = "results"
        guest = "/results"
        mode = "write"
    "#;
    bench.put("probe.toml", grants.as_bytes());
    bench.put("probe.wasm", &guest_bytes("probe"));
    bench.runtime.load_all().await;
    let run = async |args: &str| bench.run("probe", args).await.0;
    assert_eq!(output(&run(r#"{"do":"env","name":"REGION"}"#).await), "\"north\"");
    assert_eq!(output(&run(r#"{"do":"read","path":"/data/seen"}"#).await), "\"in\"");
    assert_eq!(output(&run(r#"{"do":"read","path":"/results/seen"}"#).await), "\"results\"");
    let refused = run(r#"{"do":"write","path":"/data/new","content":"x"}"#).await;
    assert_eq!(output(&refused), r#"{"written":false}"#);
    let written = run(r#"{"do":"write","path":"/results/new","content":"x"}"#).await;
    assert_eq!(output(&written), r#"{"written":true}"#);
    assert_eq!(std::fs::read_to_string(bench.path("data").join("results/new")).unwrap(), "x");
    failed(run(r#"{"do":"read","path":"/data/../secret"}"#).await, ErrorKind::Retryable);

    let shown: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(bench.info("probe").unwrap().version.unwrap().grants.as_str()).unwrap();
    assert_eq!(shown["env"], serde_json::json!(["REGION"]));
    assert_eq!(shown["directory"][0]["guest"], "/data");
}

#[tokio::test]
async fn a_link_that_leaves_a_granted_directory_is_not_followed() {
    let bench = Bench::bounded(|_| {});
    std::fs::create_dir(bench.path("data").join("in")).unwrap();
    std::fs::write(bench.path("data").join("secret"), "no").unwrap();
    std::os::unix::fs::symlink(bench.path("data").join("secret"), bench.path("data").join("in/link")).unwrap();
    bench.put("probe.toml", b"enqueue = []\n[[directory]]\nhost = 'in'\nguest = '/data'\nmode = 'read'");
    bench.put("probe.wasm", &guest_bytes("probe"));
    bench.runtime.load_all().await;
    let (outcome, _) = bench.run("probe", r#"{"do":"read","path":"/data/link"}"#).await;
    failed(outcome, ErrorKind::Retryable);
}

#[tokio::test]
async fn a_granted_directory_that_vanished_is_the_hosts_fault() {
    let bench = Bench::bounded(|_| {});
    std::fs::create_dir(bench.path("data").join("in")).unwrap();
    bench.put("probe.toml", b"enqueue = []\n[[directory]]\nhost = 'in'\nguest = '/data'\nmode = 'read'");
    bench.put("probe.wasm", &guest_bytes("probe"));
    bench.runtime.load_all().await;
    std::fs::remove_dir(bench.path("data").join("in")).unwrap();
    let (outcome, _) = bench.run("probe", r#"{"do":"context"}"#).await;
    let AttemptOutcome::HostFault(why) = outcome else { panic!("{outcome:?}") };
    assert!(why.contains("which the guest sees as `/data`, could not be opened"), "{why}");
}
