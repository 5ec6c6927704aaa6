//! Cron lines made up at random, of all that the dialect has, with a zone and a time.

use fastrand::Rng;
use serde::Serialize;

/// Zones whose clocks are never put, by an hour, by half an hour, by two, at midnight, before it and a minute past it.
const ZONES: [&str; 17] = [
    "UTC",
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/Los_Angeles",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "Europe/London",
];

/// Those whose clocks were not put since 2000.
pub(crate) const EVEN_ZONES: [&str; 3] = ["UTC", "Asia/Kathmandu", "Asia/Tokyo"];

const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// From 2000 to 2037, in seconds since 1970.
const TIMES: std::ops::Range<i64> = 946_684_800..2_114_380_800;

/// What is asked of both.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Request {
    /// The line.
    pub(crate) line: String,
    /// Where.
    pub(crate) zone: String,
    /// The fires after this second.
    pub(crate) after: i64,
    /// How many.
    pub(crate) count: usize,
}

/// Makes up a request.
pub(crate) fn request(rng: &mut Rng) -> Request {
    let with_seconds = rng.u8(..5) == 0;
    let mut fields = Vec::new();
    if with_seconds {
        fields.push(numbers(rng, 0, 59));
    }
    fields.push(numbers(rng, 0, 59));
    // Often in the small hours, in which clocks are put.
    fields.push(if rng.u8(..3) == 0 { listed(rng, |rng| item(rng, 0, 3)) } else { numbers(rng, 0, 23) });
    // Often each day, so that the day on which the clock is put is among them.
    if rng.bool() {
        fields.extend(["*"; 3].map(str::to_owned));
    } else {
        fields.extend([days_of_month(rng), named(rng, 1, &MONTHS), days_of_week(rng)]);
    }
    // Lines with seconds mostly where the two do not differ by intention.
    let zones: &[&str] = if with_seconds && rng.u8(..8) > 0 { &EVEN_ZONES } else { &ZONES };
    let zone = zones[rng.usize(..zones.len())].to_owned();
    let after = after(rng, &zone);
    Request { line: fields.join(" "), zone, after, count: 20 }
}

/// Any time, or one within the day and a half before the zone's clock is put.
fn after(rng: &mut Rng, zone: &str) -> i64 {
    let any = rng.i64(TIMES);
    let rules = jiff::tz::TimeZoneDatabase::bundled().get(zone).ok();
    let put = rules.and_then(|rules| {
        let put = rules.following(jiff::Timestamp::from_second(any).ok()?).next()?;
        Some(put.timestamp().as_second())
    });
    match put {
        Some(put) if rng.u8(..4) > 0 => put - rng.i64(0..36 * 3_600),
        _ => any,
    }
}

/// `*`, or values, ranges and steps.
fn numbers(rng: &mut Rng, least: u8, most: u8) -> String {
    match rng.u8(..8) {
        0 | 1 => "*".to_owned(),
        2 => format!("*/{}", rng.u8(1..=most - least)),
        _ => listed(rng, |rng| item(rng, least, most)),
    }
}

fn listed(rng: &mut Rng, mut one: impl FnMut(&mut Rng) -> String) -> String {
    let count = [1, 1, 1, 2, 3][rng.usize(..5)];
    (0..count).map(|_| one(rng)).collect::<Vec<_>>().join(",")
}

fn item(rng: &mut Rng, least: u8, most: u8) -> String {
    let from = rng.u8(least..=most);
    let to = rng.u8(from..=most);
    match rng.u8(..5) {
        0 => format!("{from}-{to}"),
        // Rarely over one value, of which the two make something else.
        1 if from < to || rng.u8(..4) == 0 => format!("{from}-{to}/{}", rng.u8(1..=most - least)),
        _ => from.to_string(),
    }
}

/// The same, with names among the values.
fn named(rng: &mut Rng, least: u8, names: &[&str]) -> String {
    let most = least + u8::try_from(names.len()).unwrap_or(u8::MAX) - 1;
    if rng.u8(..3) > 0 {
        return if rng.bool() { "*".to_owned() } else { numbers(rng, least, most) };
    }
    listed(rng, |rng| {
        let from = rng.usize(..names.len());
        match rng.u8(..3) {
            0 => format!("{}-{}", names[from], names[rng.usize(from..names.len())]),
            1 => names[from].to_ascii_lowercase(),
            _ => names[from].to_owned(),
        }
    })
}

fn days_of_month(rng: &mut Rng) -> String {
    match rng.u8(..30) {
        0..=11 => "*".to_owned(),
        12..=14 => "L".to_owned(),
        15..=17 => "LW".to_owned(),
        18 => format!("{}W", rng.u8(1..=31)),
        19..=21 => format!("{},L", rng.u8(1..=31)),
        _ => numbers(rng, 1, 31),
    }
}

fn days_of_week(rng: &mut Rng) -> String {
    match rng.u8(..10) {
        0..=3 => "*".to_owned(),
        4 => format!("{}L", rng.u8(0..=7)),
        5 => format!("{}#{}", DAYS[rng.usize(..7)], rng.u8(1..=5)),
        6 => format!("{}#{},{}", rng.u8(0..=7), rng.u8(1..=5), rng.u8(0..=7)),
        7 => numbers(rng, 0, 7),
        _ => named(rng, 0, &DAYS),
    }
}
