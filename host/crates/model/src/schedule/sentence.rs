//! What a schedule says, as a sentence for people.

use std::fmt;
use std::time::Duration;

use super::cron::CronLine;
use super::field::{DAYS, Field, FieldKind, Item, MONTHS};
use super::timing::{IntervalFrom, Timing, When};

/// Up to so many times of the day are told one by one.
const TIMES_MAX: usize = 6;

/// As a sentence: `At 02:00, Monday to Friday, Europe/Berlin`.
impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let zone = &self.zone;
        match &self.when {
            When::Cron(line) => write!(f, "{}, {zone}", sentence(line))?,
            When::Every { every, from: IntervalFrom::Start } => write!(f, "Every {}", span(*every))?,
            When::Every { every, from: IntervalFrom::End } => {
                write!(f, "{} after the end of the run before", span(*every))?;
            }
            When::At(at) => write!(f, "Once, {}, {zone}", zone.show(*at))?,
        }
        if let Some(start) = self.starts_at {
            write!(f, ", from {}", zone.show(start))?;
        }
        if let Some(end) = self.ends_at {
            write!(f, ", before {}", zone.show(end))?;
        }
        match self.except.len() {
            0 => {}
            1 => write!(f, ", except on one date")?,
            count => write!(f, ", except on {count} dates")?,
        }
        if !self.calendars.is_empty() {
            let names: Vec<_> = self.calendars.iter().map(ToString::to_string).collect();
            write!(f, ", except on the dates of {}", list(&names))?;
        }
        Ok(())
    }
}

/// What a line says, without the zone: `At 02:00, Monday to Friday`.
fn sentence(line: &CronLine) -> String {
    let [_, _, _, day, month, weekday] = line.fields();
    let mut parts = vec![times(line)];
    let days = (!day.is_every()).then(|| days_of_month(day));
    let weekdays = (!weekday.is_every()).then(|| days_of_week(weekday));
    match (days, weekdays) {
        (None, None) if month.is_every() && parts.iter().all(|part| part.starts_with("At ") && part.contains(':')) => {
            parts.push("every day".to_owned());
        }
        (None, None) => {}
        (Some(days), None) => parts.push(format!("on {days}")),
        (None, Some(weekdays)) if weekdays.starts_with("the ") => parts.push(format!("on {weekdays}")),
        (None, Some(weekdays)) => parts.push(weekdays),
        (Some(days), Some(weekdays)) if line.joins_days() => {
            parts.push(format!("on {days} if it is also {}", alternatives(&weekdays)));
        }
        (Some(days), Some(weekdays)) => parts.push(format!("on {days} and on {weekdays}")),
    }
    if !month.is_every() {
        let word = if matches!(month.items.as_slice(), [Item::Range { step: 1, .. }]) { "from" } else { "in" };
        parts.push(format!("{word} {}", among(month, |month| name(&MONTHS, month - 1), "month")));
    }
    parts.join(", ")
}

fn times(line: &CronLine) -> String {
    let [second, minute, hour, ..] = line.fields();
    let (seconds, minutes, hours) = (second.values(), minute.values(), hour.values());
    let is_told_by_hours = hour.is_every() || hour_steps_are_even(hour);
    if !minute.starts_with_star()
        && !second.starts_with_star()
        && !is_told_by_hours
        && seconds.len() * minutes.len() * hours.len() <= TIMES_MAX
    {
        let at = |hour: u8, minute: u8, second: u8| match seconds.as_slice() {
            [0] => format!("{hour:02}:{minute:02}"),
            _ => format!("{hour:02}:{minute:02}:{second:02}"),
        };
        let mut all = Vec::new();
        for hour in &hours {
            for minute in &minutes {
                all.extend(seconds.iter().map(|second| at(*hour, *minute, *second)));
            }
        }
        return format!("At {}", list(&all));
    }
    let coarser: &[&Field] = match (seconds.as_slice(), minutes.as_slice()) {
        ([0], [0]) if hour.starts_with_star() => &[],
        ([0], _) => &[hour],
        _ => &[minute, hour],
    };
    let finest = match coarser.len() {
        0 => hour,
        1 => minute,
        _ => second,
    };
    let (mut text, is_list) = pace(finest);
    let is_next_finer_free = coarser.len() < 2 || minute.is_every();
    // Behind "every 10 seconds" there is no need to say that it goes for all minutes and hours.
    for field in coarser.iter().filter(|field| is_list || !field.is_every()) {
        match field.items.as_slice() {
            [Item::Range { from, to, step: 1 }] if field.kind == FieldKind::Hour && !is_list && is_next_finer_free => {
                text.push_str(&format!(" from {from:02}:00 to {to:02}:59"));
            }
            _ => text.push_str(&format!(" of {}", of(field))),
        }
    }
    text
}

fn hour_steps_are_even(hour: &Field) -> bool {
    matches!(hour.items.as_slice(), [Item::EveryNth { step }] if is_even(FieldKind::Hour, *step))
}

/// How often, or at which values; and whether it is the latter.
fn pace(field: &Field) -> (String, bool) {
    let unit = field.kind.name();
    match field.items.as_slice() {
        [Item::Every] | [Item::EveryNth { step: 1 }] => (format!("Every {unit}"), false),
        [Item::EveryNth { step }] if is_even(field.kind, *step) => (format!("Every {step} {unit}s"), false),
        _ => (format!("At {}", among(field, |value| value.to_string(), unit)), true),
    }
}

/// The same behind "of".
fn of(field: &Field) -> String {
    let unit = field.kind.name();
    match field.items.as_slice() {
        [Item::Every] | [Item::EveryNth { step: 1 }] => format!("every {unit}"),
        [Item::EveryNth { step }] if is_even(field.kind, *step) => format!("every {} {unit}", ordinal(*step)),
        _ => among(field, |value| value.to_string(), unit),
    }
}

/// Whether steps of this size come out even where the next larger unit begins.
fn is_even(kind: FieldKind, step: u8) -> bool {
    let (least, most) = kind.bounds();
    (most - least + 1).is_multiple_of(step)
}

/// The values of a field: `minutes 5, 10 and 20`, `hours 9 to 17`, `March and June to August`. Names go without the unit.
fn among(field: &Field, show: impl Fn(u8) -> String, unit: &str) -> String {
    let shown: Vec<String> = field
        .items
        .iter()
        .flat_map(|item| match item {
            Item::Range { from, to, step: 1 } if from < to => vec![format!("{} to {}", show(*from), show(*to))],
            item => values(field.kind, item).into_iter().map(&show).collect(),
        })
        .collect();
    let is_named = shown.iter().all(|text| text.starts_with(|first: char| first.is_ascii_uppercase()));
    match shown.as_slice() {
        _ if is_named => list(&shown),
        [one] if !one.contains(" to ") => format!("{unit} {one}"),
        _ => format!("{unit}s {}", list(&shown)),
    }
}

fn values(kind: FieldKind, item: &Item) -> Vec<u8> {
    Field { kind, items: vec![item.clone()] }.values()
}

fn days_of_month(field: &Field) -> String {
    let parts = field.items.iter().map(|item| match item {
        Item::LastDay => "the last day of the month".to_owned(),
        Item::LastWorkday => "the last day from Monday to Friday of the month".to_owned(),
        Item::NearestWorkday(day) => format!("the day from Monday to Friday nearest to day {day} of the month"),
        Item::EveryNth { step } => format!("every {} day of the month from day 1", ordinal(*step)),
        Item::Range { from, to, step: 1 } => format!("days {from} to {to} of the month"),
        item => {
            let days: Vec<_> = values(FieldKind::DayOfMonth, item).iter().map(ToString::to_string).collect();
            let unit = if days.len() == 1 { "day" } else { "days" };
            format!("{unit} {} of the month", list(&days))
        }
    });
    let parts: Vec<_> = parts.collect();
    let is_plain = field.items.iter().all(|item| matches!(item, Item::Value(_))) && parts.len() > 1;
    match is_plain {
        true => {
            let days: Vec<_> = field.values().iter().map(ToString::to_string).collect();
            format!("days {} of the month", list(&days))
        }
        false => list(&parts),
    }
}

fn days_of_week(field: &Field) -> String {
    let day = |day: u8| name(&DAYS, day % 7);
    let parts = field.items.iter().flat_map(|item| match item {
        Item::LastOfMonth(last) => vec![format!("the last {} of the month", day(*last))],
        Item::NthOfMonth { day: nth_day, nth } => {
            let nth = name(&["first", "second", "third", "fourth", "fifth"], nth.saturating_sub(1));
            vec![format!("the {nth} {} of the month", day(*nth_day))]
        }
        Item::Range { from, to, step: 1 } if from + 1 < *to => vec![format!("{} to {}", day(*from), day(*to))],
        // From Saturday to Sunday, in this order.
        Item::Range { from, to, step } => (*from..=*to).step_by(usize::from(*step)).map(day).collect(),
        item => values(FieldKind::DayOfWeek, item).into_iter().map(day).collect(),
    });
    list(&parts.collect::<Vec<_>>())
}

fn alternatives(days: &str) -> String {
    days.replace(" and ", " or ")
}

fn name(names: &[&str], place: u8) -> String {
    names.get(usize::from(place)).copied().unwrap_or_default().to_owned()
}

fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn ordinal(number: u8) -> String {
    let ending = match (number % 10, number % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// A span in its largest unit that is whole: `5 minutes`, `90 seconds`.
fn span(span: Duration) -> String {
    let millis = span.as_millis();
    let units = [("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000), ("second", 1_000), ("millisecond", 1)];
    let whole = units.into_iter().find(|(_, size)| millis.is_multiple_of(*size));
    let (unit, count) = whole.map_or(("millisecond", millis), |(unit, size)| (unit, millis / size));
    match count {
        1 => format!("1 {unit}"),
        count => format!("{count} {unit}s"),
    }
}
