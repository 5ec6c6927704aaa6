//! Rows in the order asked for.

use serde_json::json;

use super::{Bench, lines};

#[test]
fn records_are_sorted_by_each_column_in_its_direction() {
    let bench = Bench::with(
        "in",
        r#"[{"a":2,"b":"x"},{"a":10,"b":"y"},{"a":null,"b":"z"},{"a":2,"b":"w"},{"a":10,"b":"y","c":1},{"a":"1","b":"v"}]"#,
    );
    let order = json!([{"column": "a", "direction": "desc"}, {"column": "b"}]);
    let csv = bench.csv(json!({"source": "in", "columns": ["a", "b", "c"], "order_by": order}));
    assert_eq!(csv, "a,b,c\r\n1,v,\r\n10,y,\r\n10,y,1\r\n2,w,\r\n2,x,\r\n,z,\r\n");
}

#[test]
fn sorting_in_little_memory_gives_the_same_as_sorting_in_memory() {
    let args = json!({"source": "in", "columns": ["name"], "order_by": [
        {"column": "group", "direction": "desc"}, {"column": "name"}]});
    let mut bench = Bench::with("in", lines(1_500));
    let in_memory = bench.csv(args.clone());
    // 1 byte: each row is a run, merged in two rounds; 10,000 bytes: some 30 runs, merged at once.
    for memory in [1, 10_000] {
        bench.limits.sort_memory = memory;
        assert_eq!(bench.csv(args.clone()), in_memory, "{memory} bytes");
        bench.assert_no_scratch();
    }
    let mut names: Vec<_> = (1..=1_500).map(|id| (9 - id * 7 % 10, format!("item {id}"))).collect();
    names.sort();
    let expected: String = names.iter().map(|(_, name)| format!("{name}\r\n")).collect();
    assert_eq!(in_memory, format!("name\r\n{expected}"));
}

#[test]
fn rows_that_are_equal_stay_in_the_order_of_the_source() {
    let mut bench = Bench::with("in", lines(200));
    bench.limits.sort_memory = 2_000;
    let order = json!([{"column": "group", "direction": "desc"}]);
    let csv = bench.csv(json!({"source": "in", "columns": ["group", "id"], "order_by": order}));
    let rows: Vec<(i32, i32)> = csv
        .lines()
        .skip(1)
        .map(|row| row.split_once(',').unwrap())
        .map(|(g, id)| (g.parse().unwrap(), id.parse().unwrap()))
        .collect();
    assert_eq!(rows.len(), 200);
    assert!(rows.is_sorted_by_key(|&(group, id)| (-group, id)));
}
