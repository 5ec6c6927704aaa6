//! Lines and zones whose fires are known: `known_fires.txt`.

use crate::{cron, fires};

const TABLE: &str = include_str!("known_fires.txt");

#[test]
fn the_lines_of_the_table_fire_as_it_says() {
    let (mut cases, mut wrong): (Vec<(&str, Vec<String>)>, Vec<String>) = (Vec::new(), Vec::new());
    for line in TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix("    ") {
            Some(fire) => cases.last_mut().unwrap().1.push(fire.to_owned()),
            None => cases.push((line, Vec::new())),
        }
    }
    assert!(cases.len() >= 80, "the table has {} cases", cases.len());
    for (case, expected) in cases {
        let [line, zone, after] = case.split(" | ").collect::<Vec<_>>().try_into().unwrap();
        let found = fires(&cron(line, zone), after, expected.len());
        if found != expected || expected.len() < 2 {
            wrong.push(format!("{case}\n  table: {expected:#?}\n  found: {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
