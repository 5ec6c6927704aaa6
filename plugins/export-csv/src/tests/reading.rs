//! What is read and what is written.

use serde_json::json;

use super::{Bench, gzip, lines};

const LINES: &str = "{\"id\":1,\"tags\":[\"a\",\"b\"],\"price\":1.10}\r\n\n  {\"id\":2,\"price\":null,\"extra\":\"x\"}\n{\"id\":3,\"tags\":{\"k\": \"],\"}}";
const ARRAY: &str = "\n[ {\"id\":1, \"tags\":[\"a\",\n \"b\"],\"price\":1.10},{\"id\":2,\"price\":null,\"extra\":\"x\"} , {\"id\":3,\"tags\":{\"k\":\"],\"}}\n]\n";

#[test]
fn lines_and_an_array_and_gzip_give_the_same_file() {
    let expected = "id,tags,price\r\n1,\"[\"\"a\"\",\"\"b\"\"]\",1.10\r\n2,,\r\n3,\"{\"\"k\"\":\"\"],\"\"}\",\r\n";
    let mut two_members = gzip(&LINES.as_bytes()[..20]);
    two_members.extend(gzip(&LINES.as_bytes()[20..]));
    let marked = format!("\u{feff}{LINES}");
    for content in [LINES.as_bytes(), ARRAY.as_bytes(), &gzip(ARRAY.as_bytes()), &two_members, marked.as_bytes()] {
        assert_eq!(Bench::with("in", content).csv(json!({"source": "in"})), expected);
    }
}

#[test]
fn columns_are_written_as_asked_for() {
    let csv = Bench::with("in", LINES).csv(json!({"source": "in", "columns": ["extra", "id", "extra"]}));
    assert_eq!(csv, "extra,id,extra\r\n,1,\r\nx,2,x\r\n,3,\r\n");
}

#[test]
fn quotes_commas_and_line_breaks_are_written_as_rfc_4180_says() {
    let bench = Bench::with("in", r#"{"a,b":"say \"no\"","c":"two\nlines","d":"x,y","e":" plain "}"#);
    let csv = bench.csv(json!({"source": "in"}));
    assert_eq!(csv, "\"a,b\",c,d,e\r\n\"say \"\"no\"\"\",\"two\nlines\",\"x,y\", plain \r\n");
}

#[test]
fn the_filter_is_applied_and_the_output_tells_what_was_written() {
    let bench = Bench::with("in", lines(100));
    let args = json!({"source": "in", "columns": ["id"], "file_name": "few.csv", "filter": [
        {"column": "group", "op": "ge", "value": 7}, {"column": "name", "op": "contains", "value": "item 1"}]});
    let output = serde_json::to_value(bench.run(args).unwrap()).unwrap();
    assert_eq!(output, json!({"rows": 4, "columns": ["id"], "bytes": 4 + 3 + 3 * 4, "file": "few.csv"}));
}

#[test]
fn a_source_without_records_makes_a_file_without_rows() {
    for content in ["", "\n \n", "[]", " [ ] \n"] {
        let bench = Bench::with("in", content);
        assert_eq!(bench.csv(json!({"source": "in", "columns": ["id", "name"]})), "id,name\r\n");
        assert_eq!(bench.csv(json!({"source": "in"})), "");
    }
}

#[test]
fn each_percent_of_each_step_is_told_once() {
    let bench = Bench::with("in", lines(12_000));
    bench.csv(json!({"source": "in"}));
    let reports = bench.watch.reports.take();
    assert!(reports.len() < 310, "{} reports", reports.len());
    assert!(reports.is_sorted(), "neither step nor percent goes back");
    assert_eq!(reports[0], (1, reports[0].1, "Counting items".to_owned()));
    assert!(reports.contains(&(2, 25, "Reading item 3,000 of 12,000".to_owned())));
    assert_eq!(reports.last(), Some(&(3, 100, "Writing csv".to_owned())));
}
