//! A job's log: what the guest prints.

use windlass_model::LogStream;
use windlass_runtime::Limits;

use crate::bench::{Bench, guest_bytes, output};

async fn print(set: impl FnOnce(&mut Limits), lines: u32, length: usize) -> Vec<(LogStream, String)> {
    let bench = Bench::bounded(|settings| set(&mut settings.limits));
    bench.put("probe.wasm", &guest_bytes("probe"));
    bench.runtime.load_all().await;
    let (outcome, host) = bench.run("probe", &format!(r#"{{"do":"print","lines":{lines},"length":{length}}}"#)).await;
    assert_eq!(output(&outcome), format!(r#"{{"lines":{lines}}}"#));
    host.lines()
}

#[tokio::test]
async fn lines_come_one_by_one_with_their_stream() {
    let lines = print(|_| {}, 10, 1).await;
    let expected = (0..10).map(|n| (if n == 9 { LogStream::Stderr } else { LogStream::Stdout }, format!("{n} x")));
    assert_eq!(lines, expected.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_flood_is_cut_with_one_visible_mark_and_the_job_goes_on() {
    let lines = print(|limits| limits.log_bytes = 10_000, 5_000, 100).await;
    let (last, before) = lines.split_last().unwrap();
    assert_eq!(*last, (LogStream::Host, "The log is cut here: 9.8 KiB are kept of an attempt.".to_owned()));
    assert!(before.iter().all(|(stream, _)| *stream != LogStream::Host));
    assert!(before.iter().map(|(_, line)| line.len()).sum::<usize>() <= 10_000);
    assert!(before.len() > 50);
}

#[tokio::test]
async fn a_line_without_end_is_cut() {
    let lines = print(|limits| limits.log_line_bytes = 100, 1, 500_000).await;
    assert_eq!(lines.len(), 1);
    assert!(lines[0].1.ends_with("xxx … (cut)"), "{}", lines[0].1);
    assert!(lines[0].1.len() < 120);
}
