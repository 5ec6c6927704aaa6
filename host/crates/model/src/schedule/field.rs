//! One field of a cron line: what may stand in it, and which values it names.
//!
//! The grammar is checked here, before the line goes to its parser: that one takes some lines that never fire or mean something
//! else than they say (`1,,2`, `1MON`, `L` as a day of the week), and its errors name neither field nor remedy.

use super::cron::CronLineError;

/// The names of the days, for grammar and sentences.
pub(super) const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The names of the months.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Which field of a line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldKind {
    Second,
    Minute,
    Hour,
    DayOfMonth,
    Month,
    DayOfWeek,
}

/// What stands between two commas of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// `*`, or `?` for a day.
    Every,
    /// `*/n`
    EveryNth { step: u8 },
    /// `a`
    Value(u8),
    /// `a-b` and `a-b/n`
    Range { from: u8, to: u8, step: u8 },
    /// `L`: the last day of the month.
    LastDay,
    /// `LW`: the last day of the month that lies between Monday and Friday.
    LastWorkday,
    /// `nW`: the day between Monday and Friday that is nearest to day n, in the same month.
    NearestWorkday(u8),
    /// `nL`: the last such day of the week in the month.
    LastOfMonth(u8),
    /// `n#k`: the k-th such day of the week in the month.
    NthOfMonth { day: u8, nth: u8 },
}

/// A field that follows the grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) kind: FieldKind,
    pub(super) items: Vec<Item>,
}

impl FieldKind {
    /// How people call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day of the month",
            Self::Month => "month",
            Self::DayOfWeek => "day of the week",
        }
    }

    /// The smallest and the largest value.
    pub(super) const fn bounds(self) -> (u8, u8) {
        match self {
            Self::Second | Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::DayOfMonth => (1, 31),
            Self::Month => (1, 12),
            Self::DayOfWeek => (0, 7),
        }
    }

    const fn is_day(self) -> bool {
        matches!(self, Self::DayOfMonth | Self::DayOfWeek)
    }

    /// The value of a name of three letters.
    fn named(self, text: &str) -> Option<u8> {
        let names: &[&str] = match self {
            Self::Month => &MONTHS,
            Self::DayOfWeek => &DAYS,
            _ => return None,
        };
        let place =
            names.iter().position(|name| name.get(..3).is_some_and(|short| short.eq_ignore_ascii_case(text)))?;
        u8::try_from(place).ok().map(|place| place + self.bounds().0)
    }
}

impl Field {
    /// Reads a field.
    pub(super) fn parse(kind: FieldKind, text: &str) -> Result<Self, CronLineError> {
        let items: Vec<_> = text.split(',').map(|item| parse_item(kind, item)).collect::<Result<_, _>>()?;
        let says_all = items.iter().any(|item| matches!(item, Item::Every));
        if says_all && items.len() > 1 {
            return Err(wrong(kind, text, "`*` already means every value: let it stand alone".to_owned()));
        }
        if items.contains(&Item::LastDay) && items.contains(&Item::LastWorkday) {
            return Err(wrong(kind, text, "`L` and `LW` cannot stand together: make two schedules of it".to_owned()));
        }
        Ok(Self { kind, items })
    }

    /// Whether it is `*`, so that it leaves the choice to the other fields.
    pub(super) fn is_every(&self) -> bool {
        self.items == [Item::Every]
    }

    /// Whether it starts with `*`.
    pub(super) fn starts_with_star(&self) -> bool {
        matches!(self.items.first(), Some(Item::Every | Item::EveryNth { .. }))
    }

    /// The values that it names in any month, in ascending order; for the days of the week from 0, Sunday.
    pub(super) fn values(&self) -> Vec<u8> {
        let (least, most) = self.kind.bounds();
        let most = if self.kind == FieldKind::DayOfWeek { 6 } else { most };
        let mut values: Vec<u8> = Vec::new();
        for item in &self.items {
            match item {
                Item::Every => values.extend(least..=most),
                Item::EveryNth { step } => values.extend((least..=most).step_by(usize::from(*step))),
                Item::Value(value) => values.push(*value),
                Item::Range { from, to, step } => values.extend((*from..=*to).step_by(usize::from(*step))),
                Item::LastDay
                | Item::LastWorkday
                | Item::NearestWorkday(_)
                | Item::LastOfMonth(_)
                | Item::NthOfMonth { .. } => {}
            }
        }
        if self.kind == FieldKind::DayOfWeek {
            values.iter_mut().for_each(|value| *value %= 7);
        }
        values.sort_unstable();
        values.dedup();
        values
    }

    /// The field in numbers, for the parser.
    pub(super) fn text(&self) -> String {
        let items = self.items.iter().map(|item| match item {
            Item::Every => "*".to_owned(),
            Item::EveryNth { step } => format!("*/{step}"),
            Item::Value(value) => value.to_string(),
            Item::Range { from, to, step: 1 } => format!("{from}-{to}"),
            Item::Range { from, to, step } => format!("{from}-{to}/{step}"),
            Item::LastDay => "L".to_owned(),
            Item::LastWorkday => "LW".to_owned(),
            Item::NearestWorkday(day) => format!("{day}W"),
            Item::LastOfMonth(day) => format!("{day}L"),
            Item::NthOfMonth { day, nth } => format!("{day}#{nth}"),
        });
        items.collect::<Vec<_>>().join(",")
    }
}

fn parse_item(kind: FieldKind, item: &str) -> Result<Item, CronLineError> {
    let (least, most) = kind.bounds();
    let fail = |remedy: String| Err(wrong(kind, item, remedy));
    if item.is_empty() {
        return fail("there is nothing between two commas, or before or after one: take the comma away".to_owned());
    }
    if item == "*" || item == "?" && kind.is_day() {
        return Ok(Item::Every);
    }
    if let Some((base, step)) = item.split_once('/') {
        let step = match step.parse::<u8>() {
            Ok(step) if step > 0 && step <= most - least => step,
            Ok(0) | Err(_) => return fail(format!("a step is a number from 1 to {}", most - least)),
            Ok(step) => {
                return fail(format!(
                    "a step of {step} leaves only {least}, since each {} starts anew: write {least}, or an interval with `every_ms`",
                    next_larger(kind)
                ));
            }
        };
        return match base.split_once('-') {
            _ if base == "*" => Ok(Item::EveryNth { step }),
            Some((from, to)) => range(kind, item, (from, to), step),
            None => fail(format!("a step takes a range: write {base}-{most}/{step}")),
        };
    }
    if let Some(day) = special(kind, item) {
        return day;
    }
    match item.split_once('-') {
        Some(ends) => range(kind, item, ends, 1),
        None => value(kind, item, item).map(Item::Value),
    }
}

/// `L`, `W` and `#`.
fn special(kind: FieldKind, item: &str) -> Option<Result<Item, CronLineError>> {
    let fail = |remedy: &str| Some(Err(wrong(kind, item, remedy.to_owned())));
    let upper = item.to_ascii_uppercase();
    match kind {
        FieldKind::DayOfMonth if upper == "L" => Some(Ok(Item::LastDay)),
        FieldKind::DayOfMonth if upper == "LW" || upper == "WL" => Some(Ok(Item::LastWorkday)),
        FieldKind::DayOfMonth if upper.starts_with("L-") => {
            fail("days counted from the end are not known: write L, LW or a day")
        }
        FieldKind::DayOfMonth if upper == "W" => fail("write the day that it is near to: 15W"),
        FieldKind::DayOfMonth if upper.ends_with('W') => {
            Some(value(kind, item, item.get(..item.len() - 1)?).map(Item::NearestWorkday))
        }
        FieldKind::DayOfWeek if upper == "L" => fail("write the day of which it is the last: 5L is the last Friday"),
        FieldKind::DayOfWeek if upper.ends_with('L') => {
            Some(value(kind, item, item.get(..item.len() - 1)?).map(|day| Item::LastOfMonth(day % 7)))
        }
        FieldKind::DayOfWeek => {
            let (day, nth) = item.split_once('#')?;
            let nth = match nth.parse::<u8>() {
                Ok(nth) if (1..=5).contains(&nth) => nth,
                _ => return fail("behind # stands a number from 1 to 5; the last one is written 5L"),
            };
            Some(value(kind, item, day).map(|day| Item::NthOfMonth { day: day % 7, nth }))
        }
        _ => None,
    }
}

fn range(kind: FieldKind, item: &str, (from, to): (&str, &str), step: u8) -> Result<Item, CronLineError> {
    let from = value(kind, item, from)?;
    // A range that ends on Sunday ends at the end of the week.
    let to = match value(kind, item, to)? {
        0 if kind == FieldKind::DayOfWeek && from > 0 => 7,
        to => to,
    };
    if from > to {
        // The week ends on Sunday here, so that Sunday does not stand at both ends.
        let (least, most) = if kind == FieldKind::DayOfWeek { (1, 7) } else { kind.bounds() };
        let part = |from: u8, to: u8| if from == to { from.to_string() } else { format!("{from}-{to}") };
        let remedy = format!("it runs backwards: write {},{}", part(from, most), part(least, to));
        return Err(wrong(kind, item, remedy));
    }
    Ok(Item::Range { from, to, step })
}

fn value(kind: FieldKind, item: &str, text: &str) -> Result<u8, CronLineError> {
    let (least, most) = kind.bounds();
    let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u8>().ok()).flatten();
    match number.or_else(|| kind.named(text)) {
        Some(value) if (least..=most).contains(&value) => Ok(value),
        _ => {
            let names = match kind {
                FieldKind::Month => ", or JAN to DEC",
                FieldKind::DayOfWeek => ", or SUN to SAT; 0 and 7 are Sunday",
                _ if text.contains(['l', 'L', 'w', 'W', '#', '?']) => "; L, W, # and ? are for days",
                _ => "",
            };
            Err(wrong(kind, item, format!("it takes numbers from {least} to {most}{names}")))
        }
    }
}

const fn next_larger(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Second => "minute",
        FieldKind::Minute => "hour",
        FieldKind::Hour => "day",
        FieldKind::DayOfMonth => "month",
        FieldKind::Month => "year",
        FieldKind::DayOfWeek => "week",
    }
}

fn wrong(kind: FieldKind, item: &str, remedy: String) -> CronLineError {
    CronLineError::Field { field: kind.name(), item: item.to_owned(), remedy }
}
