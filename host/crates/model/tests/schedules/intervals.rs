//! Intervals, single times, starts, ends and excluded dates.

use std::time::Duration;

use windlass_model::{Calendars, ExcludedDates, IntervalFrom, NoCalendar, Timestamp, Timing, When, Zone};

use crate::{cron, fires, time};

fn every(seconds: u64, from: IntervalFrom) -> Timing {
    let zone = Zone::parse("Europe/Berlin").unwrap();
    Timing { when: When::Every { every: Duration::from_secs(seconds), from }, zone, ..cron("* * * * *", "UTC") }
}

fn next(timing: &Timing, made_at: &str, after: &str, n: usize) -> Vec<String> {
    let fires = timing.next_fires(&Calendars::new(), time(made_at), time(after), n).unwrap();
    fires.iter().map(|fire| fire.to_string().replace(".000000Z", "Z")).collect()
}

#[test]
fn an_interval_is_counted_from_when_the_schedule_was_made_and_does_not_drift() {
    let timing = every(7 * 60, IntervalFrom::Start);
    let made = "2026-01-01T00:00:00Z";
    assert_eq!(next(&timing, made, made, 2), ["2026-01-01T00:07:00Z", "2026-01-01T00:14:00Z"]);
    // 525,600 minutes of a year are 75,085 intervals and 5 minutes.
    assert_eq!(next(&timing, made, "2027-01-01T00:00:00Z", 1), ["2027-01-01T00:02:00Z"]);
}

#[test]
fn an_interval_with_a_start_fires_at_its_start() {
    let timing = Timing { starts_at: Some(time("2026-03-01T12:00:00Z")), ..every(3_600, IntervalFrom::Start) };
    let made = "2026-01-01T00:30:00Z";
    assert_eq!(next(&timing, made, made, 2), ["2026-03-01T12:00:00Z", "2026-03-01T13:00:00Z"]);
    let of_run = Timing { starts_at: Some(time("2026-03-01T12:00:00Z")), ..every(3_600, IntervalFrom::End) };
    assert_eq!(
        next(&of_run, made, made, 9),
        ["2026-03-01T12:00:00Z"],
        "the next is not known before the run has ended"
    );
    assert_eq!(next(&of_run, made, "2026-03-01T12:00:00Z", 9), ["2026-03-01T13:00:00Z"]);
}

#[test]
fn an_interval_goes_on_evenly_when_clocks_are_put() {
    let timing = every(3_600, IntervalFrom::Start);
    let fires = next(&timing, "2026-03-28T22:00:00Z", "2026-03-28T22:00:00Z", 4);
    assert_eq!(fires, ["2026-03-28T23:00:00Z", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"]);
}

#[test]
fn nothing_fires_before_the_start_nor_at_the_end() {
    let timing = Timing {
        starts_at: Some(time("2026-05-01T10:00:00Z")),
        ends_at: Some(time("2026-05-03T10:00:00Z")),
        ..cron("0 10 * * *", "UTC")
    };
    assert_eq!(
        fires(&timing, "2020-01-01T00:00:00Z", 9),
        ["Fri 2026-05-01 10:00:00 +00:00", "Sat 2026-05-02 10:00:00 +00:00"]
    );
}

#[test]
fn a_single_time_fires_once() {
    let timing = Timing { when: When::At(time("2026-12-24T17:00:00Z")), ..cron("* * * * *", "Europe/Berlin") };
    assert_eq!(fires(&timing, "2026-01-01T00:00:00Z", 9), ["Thu 2026-12-24 18:00:00 +01:00"]);
    assert!(fires(&timing, "2026-12-24T17:00:00Z", 9).is_empty());
}

#[test]
fn nothing_fires_on_excluded_dates_of_the_zone() {
    let except = ExcludedDates::parse(&["12-25", "2026-12-28/2026-12-30", "2027-01-01"]).unwrap();
    let timing = Timing { except: except.clone(), ..cron("30 0 * * *", "Europe/Berlin") };
    assert_eq!(
        fires(&timing, "2026-12-23T23:00:00Z", 6),
        [
            "Thu 2026-12-24 00:30:00 +01:00",
            "Sat 2026-12-26 00:30:00 +01:00",
            "Sun 2026-12-27 00:30:00 +01:00",
            "Thu 2026-12-31 00:30:00 +01:00",
            "Sat 2027-01-02 00:30:00 +01:00",
            "Sun 2027-01-03 00:30:00 +01:00",
        ]
    );
    let hours = Timing { except, ..every(5 * 3_600, IntervalFrom::Start) };
    let fires = next(&hours, "2026-12-24T00:00:00Z", "2026-12-24T17:00:00Z", 3);
    // The grid goes on beneath the date that is left out: 25 December ends there at 23:00 UTC.
    assert_eq!(fires, ["2026-12-24T20:00:00Z", "2026-12-26T02:00:00Z", "2026-12-26T07:00:00Z"]);
    let rest = Timing { when: When::Every { every: Duration::from_secs(60), from: IntervalFrom::End }, ..hours };
    assert_eq!(next(&rest, "2026-12-24T00:00:00Z", "2026-12-24T22:59:30Z", 1), ["2026-12-25T23:00:00Z"]);
}

#[test]
fn a_calendar_is_looked_up_by_its_name_and_missed_by_it() {
    let name = "holidays".parse().unwrap();
    let timing = Timing { calendars: vec![name], ..cron("0 0 * * *", "UTC") };
    let made = Timestamp::EPOCH;
    let error = timing.next_fires(&Calendars::new(), made, made, 1).unwrap_err();
    assert_eq!(error, NoCalendar("holidays".parse().unwrap()));
    assert!(error.to_string().contains("there is no calendar `holidays`"), "{error}");
    let calendars =
        Calendars::from([("holidays".parse().unwrap(), ExcludedDates::parse(&["1970-01-02/1970-01-30"]).unwrap())]);
    assert_eq!(timing.next_fires(&calendars, made, made, 1).unwrap(), [time("1970-01-31T00:00:00Z")]);
}

#[test]
fn a_schedule_that_has_no_open_date_says_so_quickly() {
    let days: Vec<_> = (1..=12).flat_map(|month| (1..=31).map(move |day| (month, day))).collect();
    let exists = |(month, day): &(i8, i8)| jiff::civil::Date::new(2028, *month, *day).is_ok();
    let days: Vec<_> =
        days.iter().filter(|day| exists(day)).map(|(month, day)| format!("{month:02}-{day:02}")).collect();
    let except = ExcludedDates::parse(&days).unwrap();
    assert_eq!(except.len(), 366);
    let begun = std::time::Instant::now();
    for timing in [cron("* * * * * *", "Europe/Berlin"), every(1, IntervalFrom::Start), every(1, IntervalFrom::End)] {
        let closed = Timing { except: except.clone(), ..timing };
        assert!(
            closed
                .next_fires(&Calendars::new(), time("2026-01-01T00:00:00Z"), time("2026-01-01T00:00:00Z"), 1)
                .unwrap()
                .is_empty()
        );
    }
    // Far more than it takes; without a leap over closed dates it takes hours.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn dates_to_exclude_are_written_as_they_are_read_and_refused_with_the_form() {
    let text = r#"["02-29","12-25","2026-12-24/2027-01-06","2027-05-01"]"#;
    let dates: ExcludedDates = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&dates).unwrap(), text);
    for (raw, part) in [
        (r#"["25.12."]"#, "write 2026-12-25"),
        (r#"["02-30"]"#, "`02-30` is not a date"),
        (r#"["2026-12-25/2026-12-24"]"#, "ends before it begins"),
        (r#"["2026-12-25/12-26"]"#, "`2026-12-25/12-26` is not a date"),
    ] {
        let error = serde_json::from_str::<ExcludedDates>(raw).unwrap_err().to_string();
        assert!(error.contains(part), "{raw}: {error}");
    }
    assert!(ExcludedDates::parse(&vec!["2026-01-01"; 1_001]).is_err());
}
