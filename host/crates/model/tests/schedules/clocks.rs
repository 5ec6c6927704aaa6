//! Lines of any kind over every way in which clocks are put, beside a clock that is looked at minute by minute.

use std::collections::BTreeSet;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use proptest::prelude::*;
use windlass_model::{Calendars, Timestamp};

use crate::cron;

/// Zones whose clocks are put by an hour, by half an hour, by two hours, by a day, at midnight, before midnight and a minute past
/// it, and in the month of Ramadan.
const ZONES: [&str; 16] = [
    "UTC",
    "Europe/Berlin",
    "Europe/London",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/Nuuk",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Beirut",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Pacific/Apia",
];

const MINUTE: i64 = 60;
const DAY: i64 = 24 * 60 * MINUTE;

/// A line, and what it names, put together without the parser.
#[derive(Clone, Debug)]
struct Line {
    text: String,
    minutes: BTreeSet<i8>,
    hours: BTreeSet<i8>,
    weekdays: BTreeSet<i8>,
    follows: bool,
}

impl Line {
    fn names(&self, wall: DateTime) -> bool {
        self.minutes.contains(&wall.minute())
            && self.hours.contains(&wall.hour())
            && self.weekdays.contains(&wall.weekday().to_sunday_zero_offset())
    }
}

fn field(most: i8) -> impl Strategy<Value = (String, BTreeSet<i8>)> {
    let all = move || (0..=most).collect::<BTreeSet<_>>();
    let listed = proptest::collection::btree_set(0..=most, 1..4).prop_map(|values| {
        let text = values.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        (text, values)
    });
    let stepped = (2..=most.min(30)).prop_map(move |step| {
        let values = (0..=most).step_by(usize::try_from(step).unwrap()).collect();
        (format!("*/{step}"), values)
    });
    prop_oneof![2 => Just(()).prop_map(move |()| ("*".to_owned(), all())), 4 => listed, 2 => stepped]
}

prop_compose! {
    fn line()(minute in field(59), hour in field(23), weekday in field(6)) -> Line {
        Line {
            text: format!("{} {} * * {}", minute.0, hour.0, weekday.0),
            follows: minute.0.starts_with('*') || hour.0.starts_with('*'),
            minutes: minute.1,
            hours: hour.1,
            weekdays: weekday.1,
        }
    }
}

/// What the rules say, by looking at the clock at each minute.
fn expected(line: &Line, zone: &TimeZone, from: i64, until: i64) -> Vec<i64> {
    let clock = |second: i64| zone.to_datetime(jiff::Timestamp::from_second(second).unwrap());
    let mut shown = clock(from - 2 * DAY);
    let mut latest = shown;
    let mut found = Vec::new();
    for second in (from - 2 * DAY + MINUTE..until).step_by(60) {
        let before = shown;
        shown = clock(second);
        let fires = if line.follows {
            line.names(shown)
        } else {
            let minutes = |count: i64| jiff::Span::new().minutes(count);
            let jumped_over = (1..).map(|n| before.saturating_add(minutes(n))).take_while(|wall| *wall < shown);
            jumped_over.into_iter().any(|wall| wall > latest && line.names(wall)) || shown > latest && line.names(shown)
        };
        latest = latest.max(shown);
        if fires && second >= from {
            found.push(second);
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_line_fires_when_the_clock_says_so_each_time_that_it_is_put(
        line in line(), zone in proptest::sample::select(&ZONES[..]), year in 2009_i64..2037, nth in 0_usize..4, lead in 0_i64..36
    ) {
        let rules = jiff::tz::TimeZoneDatabase::bundled().get(zone).unwrap();
        let start = jiff::Timestamp::from_second((year - 1970) * 31_556_952).unwrap();
        // Where the clock is put, or any time if it never is.
        let put = rules.following(start).nth(nth).map_or(start, |put| put.timestamp()).as_second() / MINUTE * MINUTE;
        let (from, until) = (put - lead * 3_600, put + 2 * DAY);
        let expected = expected(&line, &rules, from, until);
        let after = Timestamp::from_micros(from * 1_000_000 - 1);
        let found = cron(&line.text, zone).next_fires(&Calendars::new(), Timestamp::EPOCH, after, expected.len() + 1).unwrap();
        let found: Vec<_> = found.into_iter().map(|fire| fire.as_micros() / 1_000_000).filter(|fire| *fire < until).collect();
        prop_assert_eq!(found, expected, "{} {}", line.text, zone);
    }
}
