//! A schedule's definition as JSON: read so that every fault is named at once with its field, and written so that it reads the same.

use std::fmt;
use std::time::Duration;

use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::calendar::ExcludedDates;
use super::cron::CronLine;
use super::definition::Schedule;
use super::fault::{Faults, ScheduleFaults};
use super::options::JobOptions;
use super::policy::Missed;
use super::timing::{IntervalFrom, Timing, When};
use super::zone::Zone;
use crate::Timestamp;

/// How many calendars a schedule may name.
const CALENDARS_MAX: usize = 16;

const KEYS: [&str; 21] = [
    "name",
    "task",
    "args",
    "when",
    "starts_at",
    "ends_at",
    "jitter_ms",
    "except",
    "calendars",
    "missed",
    "overlap",
    "queue",
    "priority",
    "expires_in_ms",
    "max_attempts",
    "timeout_ms",
    "backoff",
    "concurrency_key",
    "unique",
    "tags",
    "metadata",
];

const WHEN_KEYS: [&str; 5] = ["cron", "every_ms", "from", "at", "time_zone"];

impl Schedule {
    /// Reads a definition. All faults are named, each with its field and the remedy.
    pub fn parse(json: &str) -> Result<Self, ScheduleFaults> {
        let mut faults = Faults::default();
        let fields = faults.take("schedule", serde_json::from_str::<Fields>(json).map_err(said));
        let schedule = fields.and_then(|fields| read(&fields, &mut faults));
        faults.end(schedule)
    }
}

fn read(fields: &Fields, faults: &mut Faults) -> Option<Schedule> {
    fields.check_keys("", &KEYS, faults);
    let job = JobOptions {
        args: fields.optional("args", faults),
        queue: fields.optional("queue", faults),
        priority: fields.optional("priority", faults),
        expires_in_ms: fields.optional("expires_in_ms", faults),
        max_attempts: fields.optional("max_attempts", faults),
        timeout_ms: fields.optional("timeout_ms", faults),
        backoff: fields.optional("backoff", faults),
        concurrency_key: fields.optional("concurrency_key", faults),
        unique: fields.optional("unique", faults),
        tags: fields.optional("tags", faults).unwrap_or_default(),
        metadata: fields.optional("metadata", faults),
    };
    job.check(faults);
    let missed = fields.optional("missed", faults).unwrap_or_default();
    let catches_up_within = match missed {
        Missed::CatchUp { max } => (1..=Missed::CATCH_UP_MAX).contains(&max),
        Missed::Skip | Missed::Coalesce => true,
    };
    faults.demand(catches_up_within, "missed/catch_up/max", || {
        format!("must lie between 1 and {}", Missed::CATCH_UP_MAX)
    });
    let jitter = Duration::from_millis(fields.optional("jitter_ms", faults).unwrap_or(0));
    faults.demand(jitter <= Schedule::JITTER_MAX, "jitter_ms", || {
        format!("must be at most {} (a day)", Schedule::JITTER_MAX.as_millis())
    });
    let name = fields.required("name", "is required: a name such as nightly-export", faults);
    let task = fields.required("task", "is required: the name of the task to run", faults);
    let when = fields.required("when", "is required: an object with one of `cron`, `every_ms` and `at`", faults);
    let timing = when.and_then(|when| read_timing(&when, fields, faults));
    let overlap = fields.optional("overlap", faults).unwrap_or_default();
    Some(Schedule { name: name?, task: task?, job, timing: timing?, jitter, missed, overlap })
}

fn read_timing(when: &Fields, fields: &Fields, faults: &mut Faults) -> Option<Timing> {
    when.check_keys("when/", &WHEN_KEYS, faults);
    let inner = &mut |key: &str, faults: &mut Faults| -> Option<String> {
        let raw = when.get(key)?;
        faults.take(&format!("when/{key}"), serde_json::from_str::<Option<String>>(raw).map_err(said)).flatten()
    };
    let zone = match inner("time_zone", faults) {
        Some(name) => faults.take("when/time_zone", Zone::parse(&name)),
        None => Some(Zone::default()),
    };
    let given: Vec<_> = ["cron", "every_ms", "at"].into_iter().filter(|key| when.has(key)).collect();
    let found = match given.as_slice() {
        ["cron"] => {
            inner("cron", faults).and_then(|line| faults.take("when/cron", CronLine::parse(&line))).map(When::Cron)
        }
        ["every_ms"] => read_interval(when, faults),
        ["at"] => match (inner("at", faults), &zone) {
            (Some(at), Some(zone)) => faults.take("when/at", zone.parse_time(&at)).map(When::At),
            _ => None,
        },
        [] => {
            faults.note("when", "names no time: write one of `cron`, `every_ms` and `at`".to_owned());
            None
        }
        several => {
            faults.note("when", format!("has {}: write one of them", several.join(" and ")));
            None
        }
    };
    faults.demand(!when.has("from") || given == ["every_ms"], "when/from", || {
        "belongs to an interval: it stands beside `every_ms`".to_owned()
    });
    let zone = zone?;
    let mut bound = |key: &str| {
        let text: String = fields.optional(key, faults)?;
        faults.take(key, zone.parse_time(&text))
    };
    let (starts_at, ends_at) = (bound("starts_at"), bound("ends_at"));
    faults.demand(starts_at.zip(ends_at).is_none_or(|(start, end)| start < end), "ends_at", || {
        "must lie after `starts_at`".to_owned()
    });
    let except: Option<ExcludedDates> = fields.optional("except", faults);
    let calendars: Vec<_> = fields.optional("calendars", faults).unwrap_or_default();
    faults.demand(calendars.len() <= CALENDARS_MAX, "calendars", || {
        format!("has {} names; it takes at most {CALENDARS_MAX}", calendars.len())
    });
    Some(Timing { when: found?, zone, starts_at, ends_at, except: except.unwrap_or_default(), calendars })
}

fn read_interval(when: &Fields, faults: &mut Faults) -> Option<When> {
    let every = when.get("every_ms").map(|raw| serde_json::from_str::<u64>(raw).map_err(said));
    let every = Duration::from_millis(faults.take("when/every_ms", every?)?);
    faults.demand((When::SHORTEST..=When::LONGEST).contains(&every), "when/every_ms", || {
        format!(
            "must lie between {} (a second) and {} (ten years)",
            When::SHORTEST.as_millis(),
            When::LONGEST.as_millis()
        )
    });
    let from = when.get("from").map(|raw| serde_json::from_str::<Option<IntervalFrom>>(raw).map_err(said));
    let from = from.and_then(|from| faults.take("when/from", from)).flatten().unwrap_or_default();
    Some(When::Every { every, from })
}

/// A JSON object, field by field, so that one fault does not hide the next and arguments stay as they were written.
struct Fields(Vec<(String, Box<RawValue>)>);

impl Fields {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(found, _)| found == key).map(|(_, raw)| raw.get())
    }

    /// Whether it is there and not null.
    fn has(&self, key: &str) -> bool {
        self.get(key).is_some_and(|raw| raw != "null")
    }

    fn check_keys(&self, prefix: &str, known: &[&str], faults: &mut Faults) {
        for (place, (key, _)) in self.0.iter().enumerate() {
            if !known.contains(&key.as_str()) {
                faults.note(&format!("{prefix}{key}"), format!("is not known here: there are {}", known.join(", ")));
            }
            let is_first = self.0.iter().position(|(found, _)| found == key) == Some(place);
            faults.demand(is_first, &format!("{prefix}{key}"), || "stands here twice".to_owned());
        }
    }

    /// A field that may be absent or null.
    fn optional<T: DeserializeOwned>(&self, key: &str, faults: &mut Faults) -> Option<T> {
        let raw = self.get(key)?;
        faults.take(key, serde_json::from_str::<Option<T>>(raw).map_err(said)).flatten()
    }

    fn required<T: DeserializeOwned>(&self, key: &str, message: &str, faults: &mut Faults) -> Option<T> {
        faults.demand(self.has(key), key, || message.to_owned());
        self.optional(key, faults)
    }
}

/// What the reader of JSON says, without the place in a text that nobody sees.
fn said(error: serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((said, _)) => said.to_owned(),
        None => text,
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Fields(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::parse(raw.get()).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'a> {
            name: &'a crate::ScheduleName,
            task: &'a crate::TaskName,
            #[serde(flatten)]
            job: &'a JobOptions,
            when: WrittenWhen<'a>,
            #[serde(skip_serializing_if = "Option::is_none")]
            starts_at: Option<Timestamp>,
            #[serde(skip_serializing_if = "Option::is_none")]
            ends_at: Option<Timestamp>,
            #[serde(skip_serializing_if = "ExcludedDates::is_empty")]
            except: &'a ExcludedDates,
            #[serde(skip_serializing_if = "<[_]>::is_empty")]
            calendars: &'a [crate::CalendarName],
            jitter_ms: u64,
            missed: Missed,
            overlap: super::policy::Overlap,
        }
        let Timing { when, zone, starts_at, ends_at, except, calendars } = &self.timing;
        let written = Written {
            name: &self.name,
            task: &self.task,
            job: &self.job,
            when: WrittenWhen { when, zone },
            starts_at: *starts_at,
            ends_at: *ends_at,
            except,
            calendars,
            jitter_ms: millis(self.jitter),
            missed: self.missed,
            overlap: self.overlap,
        };
        written.serialize(serializer)
    }
}

struct WrittenWhen<'a> {
    when: &'a When,
    zone: &'a Zone,
}

impl Serialize for WrittenWhen<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.when {
            When::Cron(line) => map.serialize_entry("cron", line.as_str())?,
            When::Every { every, from } => {
                map.serialize_entry("every_ms", &millis(*every))?;
                map.serialize_entry("from", from)?;
            }
            When::At(at) => map.serialize_entry("at", at)?,
        }
        map.serialize_entry("time_zone", self.zone.as_str())?;
        map.end()
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
