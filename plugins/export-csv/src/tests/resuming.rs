//! Later attempts of the same job.

use std::fs;

use serde_json::{Value, json};
use windlass_guest::{fatal, retryable};

use super::{Bench, gzip, lines};

fn args() -> Value {
    json!({"source": "in", "filter": [{"column": "group", "op": "ne", "value": 3}]})
}

/// A job whose first attempt failed after 600 of 1,000 records.
fn failed_halfway(content: &[u8]) -> Bench {
    let mut bench = Bench::with("in", content);
    bench.limits.checkpoint_every = 200;
    bench.watch.fail_at.set(Some(600));
    assert_eq!(bench.run(args()), Err(retryable("the host went away")));
    bench.assert_no_artifact();
    bench.watch.fail_at.set(None);
    bench.watch.reports.take();
    bench
}

#[test]
fn a_second_attempt_goes_on_where_the_first_stopped() {
    let plain = lines(1_000);
    let array = format!("[{}]", plain.trim().replace('\n', ","));
    let packed = gzip(plain.as_bytes());
    let expected = Bench::with("in", &plain).csv(args());
    for content in [plain.as_bytes(), array.as_bytes(), &packed] {
        let bench = failed_halfway(content);
        // What lies behind the checkpoint was not confirmed and must go.
        let mut part = fs::read(bench.places.part()).unwrap();
        part.extend(b"9999,half a ro");
        fs::write(bench.places.part(), part).unwrap();
        assert_eq!(bench.csv(args()), expected);
        let records: Vec<u64> = bench.watch.saved.borrow().iter().map(|saved| saved.records).collect();
        assert_eq!(records, [200, 400, 600, 800, 1_000]);
    }
}

#[test]
fn what_the_first_attempt_wrote_is_not_written_again() {
    let bench = failed_halfway(lines(1_000).as_bytes());
    // A mark in the first row, which only a rewrite would remove.
    let mut part = fs::read(bench.places.part()).unwrap();
    let row = part.windows(6).position(|bytes| bytes == b"item 1").unwrap();
    part[row..row + 4].copy_from_slice(b"MARK");
    fs::write(bench.places.part(), part).unwrap();
    assert!(bench.csv(args()).starts_with("id,name,group\r\n1,MARK 1,7\r\n"));
    assert!(bench.watch.reports.take().iter().all(|(step, ..)| *step > 1), "it does not count again");
}

#[test]
fn without_its_half_made_file_a_second_attempt_starts_over() {
    let expected = Bench::with("in", lines(1_000)).csv(args());
    let bench = failed_halfway(lines(1_000).as_bytes());
    fs::remove_file(bench.places.part()).unwrap();
    assert_eq!(bench.csv(args()), expected);
    let bench = failed_halfway(lines(1_000).as_bytes());
    fs::write(bench.places.part(), "short").unwrap();
    assert_eq!(bench.csv(args()), expected);
}

#[test]
fn with_another_source_or_other_arguments_a_second_attempt_starts_over() {
    let bench = failed_halfway(lines(1_000).as_bytes());
    let other = lines(1_000).replace("item", "thing");
    fs::write(bench.places.data.join("in"), &other).unwrap();
    assert_eq!(bench.csv(args()), Bench::with("in", &other).csv(args()));
    let bench = failed_halfway(lines(1_000).as_bytes());
    assert_eq!(bench.csv(json!({"source": "in"})), Bench::with("in", lines(1_000)).csv(json!({"source": "in"})));
}

#[test]
fn a_source_that_breaks_before_the_second_attempt_leaves_no_artifact() {
    let bench = failed_halfway(lines(1_000).as_bytes());
    fs::write(bench.places.data.join("in"), format!("{}oops", lines(1_000))).unwrap();
    let error = "source: line 1001 is broken: expected value (column 1)";
    assert_eq!(bench.run(args()), Err(fatal(error)));
    bench.assert_no_artifact();
}
