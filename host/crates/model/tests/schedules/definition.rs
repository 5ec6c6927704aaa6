//! The definition of a schedule as people write it.

use std::time::Duration;

use serde_json::{Value, json};
use windlass_model::{IntervalFrom, Missed, Overlap, Schedule, When};

use crate::time;

fn read(json: &Value) -> Result<Schedule, Vec<String>> {
    Schedule::parse(&json.to_string()).map_err(|faults| faults.0.iter().map(ToString::to_string).collect())
}

fn full() -> Value {
    json!({
        "name": "nightly-export", "task": "export-csv", "args": { "source": "flights.json" },
        "when": { "cron": "0 2 * * 1-5", "time_zone": "Europe/Berlin" },
        "starts_at": "2026-03-29T02:30:00", "ends_at": "2027-01-01", "jitter_ms": 30_000, "except": ["12-25"],
        "calendars": ["holidays"], "missed": { "catch_up": { "max": 24 } }, "overlap": "queue_one", "queue": "night", "priority": 5,
        "expires_in_ms": 3_600_000, "max_attempts": 3, "timeout_ms": 60_000, "backoff": { "delays_ms": [1000] },
        "concurrency_key": "exports", "unique": { "key": "export" }, "tags": ["nightly"], "metadata": { "owner": "ops" }
    })
}

#[test]
fn name_task_and_time_are_enough() {
    let schedule = read(&json!({ "name": "a", "task": "b", "when": { "every_ms": 60_000 }, "queue": null })).unwrap();
    assert_eq!(schedule.timing.when, When::Every { every: Duration::from_secs(60), from: IntervalFrom::Start });
    assert_eq!((schedule.missed, schedule.overlap, schedule.jitter), (Missed::Coalesce, Overlap::Skip, Duration::ZERO));
    assert_eq!(schedule.timing.zone.as_str(), "UTC");
}

#[test]
fn a_time_without_an_offset_is_one_on_the_clock_of_the_zone() {
    let schedule = read(&full()).unwrap();
    // Half past two is jumped over on that day: it starts when the clock jumps.
    assert_eq!(schedule.timing.starts_at, Some(time("2026-03-29T01:00:00Z")));
    assert_eq!(schedule.timing.ends_at, Some(time("2026-12-31T23:00:00Z")));
    let at = |at: &str| json!({ "name": "a", "task": "b", "when": { "at": at, "time_zone": "America/New_York" } });
    let when = |text: &str| read(&at(text)).unwrap().timing.when;
    assert_eq!(when("2026-12-24T18:00:00"), When::At(time("2026-12-24T23:00:00Z")));
    assert_eq!(when("2026-11-01T01:30:00"), When::At(time("2026-11-01T05:30:00Z")), "the first of two");
    assert_eq!(when("2026-12-24T18:00:00+01:00"), When::At(time("2026-12-24T17:00:00Z")));
}

#[test]
fn a_definition_is_written_so_that_it_reads_the_same() {
    for json in [full(), json!({ "name": "a", "task": "b", "when": { "every_ms": 1_000, "from": "end" } })] {
        let schedule = read(&json).unwrap();
        let text = serde_json::to_string(&schedule).unwrap();
        assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule, "{text}");
        assert_eq!(serde_json::to_string(&Schedule::parse(&text).unwrap()).unwrap(), text);
    }
}

#[test]
fn arguments_pass_through_as_they_were_written() {
    let args = r#"{"b": 1.10, "a": 12345678901234567890123}"#;
    let text = format!(r#"{{"name": "a", "task": "b", "when": {{"every_ms": 1000}}, "args": {args}}}"#);
    let schedule = Schedule::parse(&text).unwrap();
    assert_eq!(schedule.job.args.as_ref().unwrap().as_str(), args);
    assert!(serde_json::to_string(&schedule).unwrap().contains(args));
}

#[test]
fn the_same_definition_can_be_written_as_toml() {
    let text = r#"
        name = "nightly-export"
        task = "export-csv"
        when = { cron = "0 2 * * 1-5", time_zone = "Europe/Berlin" }
        missed = { catch_up = { max = 3 } }
        overlap = "allow"
        except = ["12-25"]
        [args]
        source = "flights.json"
    "#;
    let table: toml::Table = text.parse().unwrap();
    let schedule = Schedule::parse(&serde_json::to_string(&table).unwrap()).unwrap();
    assert_eq!((schedule.missed, schedule.overlap), (Missed::CatchUp { max: 3 }, Overlap::Allow));
    assert_eq!(schedule.timing.to_string(), "At 02:00, Monday to Friday, Europe/Berlin, except on one date");
}

#[test]
fn every_fault_is_named_at_once_with_its_field() {
    let faults = read(&json!({
        "name": "Nightly", "when": { "cron": "0 25 * * *", "time_zone": "Europe/Berlinn", "zone": 1 }, "args": [], "jitter_ms": 86_400_001,
        "missed": { "catch_up": { "max": 0 } }, "overlap": "never", "max_attempts": 0, "except": ["25.12."], "tags": [""], "paused": true
    }));
    assert_eq!(
        faults.unwrap_err(),
        [
            "`paused`: is not known here: there are name, task, args, when, starts_at, ends_at, jitter_ms, except, calendars, missed, \
             overlap, queue, priority, expires_in_ms, max_attempts, timeout_ms, backoff, concurrency_key, unique, tags, metadata",
            "`args`: must be a JSON object",
            "`max_attempts`: must lie between 1 and 1000",
            "`tags/0`: has 0 characters; it takes 1 to 100",
            "`missed/catch_up/max`: must lie between 1 and 1000",
            "`jitter_ms`: must be at most 86400000 (a day)",
            "`name`: a name is made of a-z, 0-9, `-` and `_`, and starts with a letter or a digit: 'N' cannot stand here",
            "`task`: is required: the name of the task to run",
            "`when/zone`: is not known here: there are cron, every_ms, from, at, time_zone",
            "`when/time_zone`: `Europe/Berlinn` is not a time zone: write its name in the IANA database, such as Europe/Berlin",
            "`when/cron`: the hour `25` is not understood: it takes numbers from 0 to 23",
            "`overlap`: unknown variant `never`, expected one of `skip`, `allow`, `queue_one`",
        ]
    );
}

#[test]
fn faults_of_time_are_named_with_the_remedy() {
    let with = |changes: Value| {
        let mut whole = json!({ "name": "a", "task": "b", "when": { "cron": "0 0 * * *" } });
        whole.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        read(&whole).unwrap_err().join("\n")
    };
    for (changes, said) in [
        (json!({ "when": {} }), "`when`: names no time: write one of `cron`, `every_ms` and `at`"),
        (json!({ "when": { "cron": "0 0 * * *", "at": "2026-01-01" } }), "`when`: has cron and at: write one of them"),
        (
            json!({ "when": { "every_ms": 999 } }),
            "`when/every_ms`: must lie between 1000 (a second) and 315619200000 (ten years)",
        ),
        (
            json!({ "when": { "cron": "0 0 * * *", "from": "end" } }),
            "`when/from`: belongs to an interval: it stands beside `every_ms`",
        ),
        (json!({ "when": { "cron": 5 } }), "`when/cron`: invalid type: integer `5`, expected a string"),
        (json!({ "when": "daily" }), "`when`: invalid type: string \"daily\", expected an object"),
        (json!({ "when": { "cron": "0 0 31 2 *" } }), "`when/cron`: `0 0 31 2 *` never fires: no year has such a date"),
        (json!({ "starts_at": "2027-01-01", "ends_at": "2027-01-01" }), "`ends_at`: must lie after `starts_at`"),
        (
            json!({ "starts_at": "tomorrow" }),
            "`starts_at`: `tomorrow` is not a time: write 2026-12-24T18:00:00 for one on the clock of UTC, or 2026-12-24T18:00:00+01:00",
        ),
        (
            json!({ "except": ["12/25"] }),
            "`except`: `12/25` is not a date: write 2026-12-25, 12-25 for every year, or 2026-12-24/2027-01-06 for a range",
        ),
    ] {
        assert_eq!(with(changes), said);
    }
    let twice = Schedule::parse(r#"{"name": "a", "name": "b", "task": "b", "when": {"every_ms": 1000}}"#).unwrap_err();
    assert_eq!(twice.to_string(), "`name`: stands here twice");
    assert_eq!(
        Schedule::parse("[]").unwrap_err().to_string(),
        "`schedule`: invalid type: sequence, expected an object"
    );
}

#[test]
fn a_zone_is_found_by_its_name_and_a_near_one_is_proposed() {
    let zone =
        |name: &str| windlass_model::Zone::parse(name).map(|zone| zone.to_string()).map_err(|error| error.to_string());
    assert_eq!(zone("europe/BERLIN"), Ok("Europe/Berlin".to_owned()));
    assert_eq!(zone("UTC"), Ok("UTC".to_owned()));
    for (wrong, near) in [
        ("Berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("Asia/Tokio", "Asia/Tokyo"),
        ("PST", "Europe/Berlin or UTC"),
        ("+02:00", "Europe/Berlin or UTC"),
        ("", "Europe/Berlin or UTC"),
        ("../../etc/passwd", "Europe/Berlin or UTC"),
        ("EST5EDT,M3.2.0,M11.1.0", "Europe/Berlin or UTC"),
    ] {
        let said = zone(wrong).unwrap_err();
        assert!(said.ends_with(&format!("such as {near}")), "{said}");
    }
}
