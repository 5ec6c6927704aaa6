//! A time zone of the IANA database, and how its clock runs.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::Timestamp;

/// The zones that are in the binary: the same on every host that runs it, whatever its own files say.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A time zone of the IANA database: `Europe/Berlin`. UTC if nothing is said.
#[derive(Clone)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// What is wrong with the name of a time zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a time zone: write its name in the IANA database, such as {}", nearest.as_deref().unwrap_or("Europe/Berlin or UTC"))]
pub struct ZoneError {
    /// What was written.
    name: String,
    /// What may have been meant.
    nearest: Option<String>,
}

/// What is wrong with a text that should be a time in a zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a time: write 2026-12-24T18:00:00 for one on the clock of {zone}, or 2026-12-24T18:00:00+01:00"
)]
pub struct ZoneTimeError {
    /// What was written.
    text: String,
    /// Where it was to be a time.
    zone: String,
}

/// A time in which a zone's clock runs evenly, in whole seconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Its first second; none if the clock was never put before.
    pub(super) begin: Option<i64>,
    /// The first second after it; none if the clock is never put again.
    pub(super) end: Option<i64>,
    /// How many seconds the clock is ahead of UTC.
    pub(super) offset: i64,
    /// How many it was ahead before `begin`.
    pub(super) offset_before: i64,
}

impl Zone {
    /// Finds a zone by its name, in capital or small letters.
    pub fn parse(raw: &str) -> Result<Self, ZoneError> {
        let found = ZONES.get(raw).ok().filter(|zone| !zone.is_unknown());
        match found.and_then(|zone| Some(Self { name: zone.iana_name()?.to_owned(), zone })) {
            Some(zone) => Ok(zone),
            None => Err(ZoneError { name: raw.to_owned(), nearest: nearest(raw) }),
        }
    }

    /// Its name as the database writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// The time as people there write it, with the offset from UTC: `Mon 2026-03-30 02:00:00 +02:00`.
    #[must_use]
    pub fn show(&self, time: Timestamp) -> String {
        let zoned = instant(seconds(time)).to_zoned(self.zone.clone());
        zoned.strftime("%a %Y-%m-%d %H:%M:%S %:z").to_string()
    }

    /// Reads a time: one with an offset from UTC, or one on the clock there, `2026-12-24T18:00:00` or a date for its first moment. Of a
    /// time that comes twice there it is the first, of one that the clock jumps over the moment of the jump.
    pub fn parse_time(&self, text: &str) -> Result<Timestamp, ZoneTimeError> {
        let with_offset = text.parse::<Timestamp>().ok();
        let on_the_clock = || text.parse::<DateTime>().ok().and_then(|wall| self.moment(wall));
        let found = with_offset.or_else(on_the_clock).filter(|time| (Timestamp::EPOCH..=Timestamp::MAX).contains(time));
        found.ok_or_else(|| ZoneTimeError { text: text.to_owned(), zone: self.name.clone() })
    }

    /// The time with the offset from UTC that holds there, as RFC 3339 has it: `2026-03-30T02:00:00+02:00`.
    #[must_use]
    pub fn write_time(&self, time: Timestamp) -> String {
        let zoned = instant(seconds(time)).to_zoned(self.zone.clone());
        zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// The date there at this time.
    pub(super) fn date(&self, time: Timestamp) -> Date {
        self.zone.to_datetime(instant(seconds(time))).date()
    }

    /// The first moment of a date.
    pub(super) fn start_of(&self, date: Date) -> Option<Timestamp> {
        self.moment(date.at(0, 0, 0, 0))
    }

    /// The moment at which the clock there shows this time: the first of two; the end of the gap if it never does.
    pub(super) fn moment(&self, wall: DateTime) -> Option<Timestamp> {
        let ambiguous = self.zone.to_ambiguous_timestamp(wall);
        let moment = match ambiguous.offset() {
            // What comes before the gap, put forward by the gap, is at or after its end: its end is where the clock was put.
            jiff::tz::AmbiguousOffset::Gap { .. } => {
                let before = ambiguous.earlier().ok()?;
                self.zone.following(before).next()?.timestamp()
            }
            _ => ambiguous.earlier().ok()?,
        };
        Some(Timestamp::from_micros(moment.as_microsecond()))
    }

    /// The stretch that a second is in.
    pub(super) fn stretch(&self, second: i64) -> Stretch {
        let at = instant(second);
        let offset = |second: i64| i64::from(self.zone.to_offset(instant(second)).seconds());
        let begin =
            self.zone.preceding(instant(second.saturating_add(1))).next().map(|put| put.timestamp().as_second());
        let end = self.zone.following(at).next().map(|put| put.timestamp().as_second());
        let offset_now = offset(second);
        Stretch { begin, end, offset: offset_now, offset_before: begin.map_or(offset_now, |begin| offset(begin - 1)) }
    }
}

/// The whole seconds of a time.
pub(super) fn seconds(time: Timestamp) -> i64 {
    time.as_micros().div_euclid(1_000_000)
}

/// What no calendar can write is taken for the nearest time that it can.
fn instant(second: i64) -> jiff::Timestamp {
    let last = seconds(Timestamp::MAX);
    jiff::Timestamp::from_second(second.clamp(-last, last)).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

/// A zone whose city has this name, or whose name differs in little.
fn nearest(raw: &str) -> Option<String> {
    let flat = |text: &str| text.to_ascii_lowercase().replace([' ', '-'], "_");
    let (raw, known) = (flat(raw), ZONES.available().map(|name| name.as_str().to_owned()));
    let mut names: Vec<String> = known.filter(|name| name.contains('/')).collect();
    names.sort();
    let city = |name: &str| flat(name).rsplit('/').next().map(str::to_owned);
    let wanted = raw.rsplit('/').next()?.to_owned();
    let is_near = |name: &&String| city(name).is_some_and(|city| city == wanted || is_one_letter_away(&city, &wanted));
    names.iter().find(is_near).cloned()
}

/// Whether one letter more, less or other makes one word of the other.
fn is_one_letter_away(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 1 || a.len() < 4 {
        return false;
    }
    let start = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let rest = a.len().min(b.len()) - start;
    let end = a.iter().rev().zip(b.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    a.len().max(b.len()) - start - end <= 1
}

impl Default for Zone {
    /// UTC.
    fn default() -> Self {
        Self { name: "UTC".to_owned(), zone: TimeZone::UTC }
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.name, f)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl FromStr for Zone {
    type Err = ZoneError;

    fn from_str(raw: &str) -> Result<Self, Self::Err> {
        Self::parse(raw)
    }
}
