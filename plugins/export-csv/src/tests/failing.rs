//! What a person is told when it does not work, and that nothing is left then.

use serde_json::json;
use windlass_guest::{TaskError, cancelled, fatal};

use super::{Bench, gzip, lines};

/// The error of an attempt on this source, which must leave no artifact.
fn error(content: impl AsRef<[u8]>, args: serde_json::Value) -> TaskError {
    let bench = Bench::with("in", content);
    let error = bench.run(args).unwrap_err();
    bench.assert_no_artifact();
    error
}

fn broken(content: impl AsRef<[u8]>) -> String {
    let text = format!("{:?}", error(content, json!({"source": "in"})));
    assert!(text.contains("Fatal"), "{text}");
    text
}

#[test]
fn an_unknown_column_is_named_with_the_known_ones() {
    let known = "no record has a column `nmae`; there are: id, name, group";
    assert_eq!(error(lines(9), json!({"source": "in", "columns": ["id", "nmae"]})), fatal(format!("columns: {known}")));
    let filter = json!([{"column": "nmae", "op": "eq", "value": 1}]);
    assert_eq!(error(lines(9), json!({"source": "in", "filter": filter})), fatal(format!("filter: {known}")));
    let order = json!([{"column": "nmae"}]);
    assert_eq!(error(lines(9), json!({"source": "in", "order_by": order})), fatal(format!("order_by: {known}")));
}

#[test]
fn a_broken_line_is_named_by_its_number() {
    let text = broken("{\"a\":1}\n\n{\"a\":2}\n{\"a\":\n{\"a\":4}\n");
    assert!(text.contains("line 4 is broken: EOF while parsing a value (column 5)"), "{text}");
    let text = broken("{\"a\":1}\n[1]\n");
    assert!(text.contains("line 2 is broken: invalid type: sequence, expected an object"), "{text}");
    let text = broken("{\"a\":1} x\n");
    assert!(text.contains("line 1 is broken: trailing characters"), "{text}");
    let text = broken(b"{\"a\":1}\n{\"a\":\"\xff\"}\n");
    assert!(text.contains("line 2 is broken: it is not UTF-8"), "{text}");
}

#[test]
fn a_line_that_breaks_only_when_its_values_are_read_is_named_too() {
    let text = broken("{\"a\":\"x\"}\n{\"a\":\"\\ud800\"}\n");
    assert!(text.contains("line 2 is broken: "), "{text}");
}

#[test]
fn a_broken_element_of_an_array_is_named_by_its_number() {
    let text = broken("[{\"a\":1},\n{\"a\":2},\n{\"a\" 3},{\"a\":4}]");
    assert!(text.contains("record 3 is broken: expected `:`"), "{text}");
    assert!(broken("[{\"a\":1},]").contains("record 2 is broken"));
    assert!(broken("[{\"a\":1},{\"a\":2}").contains("the array does not end; it breaks off after record 1"));
    assert!(broken("[{\"a\":1}] []").contains("something behind the end of the array"));
}

#[test]
fn a_truncated_gzip_is_told_as_such() {
    let packed = gzip(lines(5_000).as_bytes());
    let text = broken(&packed[..packed.len() / 2]);
    assert!(text.contains("the gzip data ends too early, after record "), "{text}");
    let mut damaged = packed;
    let middle = damaged.len() / 2;
    damaged[middle..middle + 40].fill(0xff);
    assert!(broken(damaged).contains("the gzip data is broken after record "));
}

#[test]
fn a_missing_source_is_named() {
    let bench = Bench::new();
    let path = bench.places.data.join("orders.jsonl");
    let expected = format!("source: there is no file {}", path.display());
    assert_eq!(bench.run(json!({"source": "orders.jsonl"})), Err(fatal(expected)));
    std::fs::remove_dir(&bench.places.data).unwrap();
    let text = format!("{:?}", bench.run(json!({"source": "orders.jsonl"})));
    assert!(text.contains("no directory is granted as "), "{text}");
}

#[test]
fn a_file_name_with_a_slash_is_refused_before_anything_is_read() {
    let bench = Bench::with("in", lines(3));
    let text = format!("{:?}", bench.run(json!({"source": "in", "file_name": "../x.csv"})).unwrap_err());
    assert!(text.contains("file_name: `../x.csv`: it must not start with a dot"), "{text}");
    let text = format!("{:?}", bench.run(json!({"source": "in", "file_name": "a/x.csv"})).unwrap_err());
    assert!(text.contains("file_name: `a/x.csv`: it must be a name without slashes"), "{text}");
    assert!(bench.watch.reports.take().is_empty());
}

#[test]
fn a_cancelled_export_leaves_nothing() {
    for (order_by, at) in [
        (json!([]), "Counting items"),
        (json!([]), "Reading item 3,000 of 6,000"),
        (json!([]), "Reading item 6,000 of 6,000"),
        (json!([{"column": "group"}]), "Reading item 3,000 of 6,000"),
        (json!([{"column": "group"}]), "Sorting"),
        (json!([{"column": "group"}]), "Writing csv"),
    ] {
        let mut bench = Bench::with("in", lines(6_000));
        bench.limits.sort_memory = 50_000;
        bench.watch.cancel_at.replace(Some(at.to_owned()));
        assert_eq!(bench.run(json!({"source": "in", "order_by": order_by})), Err(cancelled()), "{at}");
        bench.assert_no_artifact();
        bench.assert_no_scratch();
    }
}
