//! What one attempt may use: the limits, their defaults and ceilings, and the tables that change them.
//!
//! A limit of an attempt is what its plugin's grants file says under `[limits]`, else what `[limits.default]` of
//! `windlass.toml` says, else the built-in default. Nothing goes above the ceiling: `[limits.max]`, else the built-in one.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value as Json};
use toml::Value;
use windlass_model::{JsonText, TaskLimits};

use crate::grants::{GrantFault, LimitBounds};

/// What a plugin and its attempts may use. The defaults suit a small machine; each has its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memories and tables of one attempt, summed, in bytes; an element of a table counts 8. 256 MiB: Python and
    /// JavaScript guests start at 10 to 40 MiB, and 32 of the largest fit into 8 GiB.
    pub memory_bytes: usize,
    /// How long an attempt may take, in milliseconds, whatever its job asks for. None: the job's own timeout is always there.
    pub timeout_ms: Option<u64>,
    /// How long an attempt may compute, in milliseconds. None: the timeout bounds it, and honest jobs may compute all the time.
    pub cpu_ms: Option<u64>,
    /// How many units of fuel (about: instructions) an attempt may use. None: it costs time to count them, so the daemon must
    /// be told to.
    pub fuel: Option<u64>,
    /// The output that `execute` returns. 1 MiB: it is a row in the database; what is larger is an artifact.
    pub output_bytes: usize,
    /// The log of one attempt, where each line counts 32 bytes more than its text: a row costs more than its text. 1 MiB.
    pub log_bytes: usize,
    /// One line of the log. 8 KiB: what is longer is data, not a line for a person.
    pub log_line_bytes: usize,
    /// How many lines a second are kept for long; a burst may have ten seconds' worth. 1,000: more than anybody reads.
    pub log_lines_per_second: u64,
    /// A checkpoint. 1 MiB, as the WIT says.
    pub checkpoint_bytes: usize,
    /// The component file. 64 MiB: a Python component has 18 to 35 MiB. Set for the daemon, not for a plugin.
    pub component_bytes: u64,
    /// How long `describe` may take. 10 s: an interpreter may start slowly on a busy machine. Set for the daemon.
    pub describe_time: Duration,
    /// What `describe` may return. 256 KiB. Set for the daemon.
    pub description_bytes: usize,
    /// What a guest may hand to the host in one call. 64 MiB: far more than any honest call, far less than the host has.
    pub hostcall_bytes: usize,
    /// Handles (open files, streams, pollables) that a guest may hold at once. 1,000: each open file is one of the host's.
    pub handles: usize,
    /// Files and folders that an attempt may leave in `/out`. 1,000.
    pub artifact_files: usize,
    /// Bytes that an attempt may leave in `/out`, over all files. 16 GiB.
    pub artifact_bytes: u64,
    /// Bytes that a job may have in `/tmp`, over all its attempts; each file and folder counts 4 KiB more than its content.
    /// 4 GiB: room to sort what does not fit into memory.
    pub scratch_bytes: u64,
    /// Steps of an attempt that are kept one by one. 10,000: see [`TaskLimits`].
    pub progress_steps: u64,
    /// Reports of progress a second for long; a burst may have ten seconds' worth. 100: what a person watches changes less
    /// often. More are merged, and the last one counts.
    pub progress_per_second: u64,
    /// Attempts of the task that may run at once on one worker. None: its queue's limits are there for that.
    pub concurrency: Option<u64>,
    /// The body of one HTTP response. 64 MiB: what is larger is fetched in ranges, and kept on disk.
    pub http_response_bytes: u64,
    /// HTTP requests of one attempt at the same time, each until its response is read or dropped. 32.
    pub http_requests: usize,
    /// Jobs that an attempt may enqueue. 1,000: what fans out further does it in stages.
    pub enqueues: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 256 * MIB as usize,
            timeout_ms: None,
            cpu_ms: None,
            fuel: None,
            output_bytes: MIB as usize,
            log_bytes: MIB as usize,
            log_line_bytes: 8 * KIB as usize,
            log_lines_per_second: 1_000,
            checkpoint_bytes: MIB as usize,
            component_bytes: 64 * MIB,
            describe_time: Duration::from_secs(10),
            description_bytes: 256 * KIB as usize,
            hostcall_bytes: 64 * MIB as usize,
            handles: 1_000,
            artifact_files: 1_000,
            artifact_bytes: 16 * GIB,
            scratch_bytes: 4 * GIB,
            progress_steps: TaskLimits::PROGRESS_STEPS,
            progress_per_second: 100,
            concurrency: None,
            http_response_bytes: 64 * MIB,
            http_requests: 32,
            enqueues: 1_000,
        }
    }
}

const KIB: u64 = 1_024;
const MIB: u64 = 1_024 * KIB;
const GIB: u64 = 1_024 * MIB;

/// A month: an attempt that goes on for longer is not a job.
const MONTH_MS: u64 = 31 * 24 * 3_600_000;

/// One limit that can be set.
struct Key {
    name: &'static str,
    /// The smallest and the largest value that make sense at all.
    range: (u64, u64),
    /// What no plugin goes above unless the operator says otherwise.
    ceiling: Option<u64>,
    get: fn(&Limits) -> Option<u64>,
    set: fn(&mut Limits, u64),
}

macro_rules! key {
    ($name:ident, $range:expr, $ceiling:expr) => {
        Key {
            name: stringify!($name),
            range: $range,
            ceiling: Some($ceiling),
            get: |limits| u64::try_from(limits.$name).ok(),
            set: |limits, value| limits.$name = value.try_into().unwrap_or(limits.$name),
        }
    };
    (optional $name:ident, $range:expr) => {
        Key {
            name: stringify!($name),
            range: $range,
            ceiling: None,
            get: |limits| limits.$name,
            set: |limits, value| limits.$name = Some(value),
        }
    };
}

/// All limits that can be set, by name. A 32-bit memory ends at 4 GiB.
const KEYS: [Key; 20] = [
    key!(artifact_bytes, (1, 1_024 * 1_024 * GIB), 1_024 * GIB),
    key!(artifact_files, (1, 10_000_000), 100_000),
    key!(checkpoint_bytes, (1, 64 * MIB), 16 * MIB),
    key!(optional concurrency, (1, 1_000)),
    key!(optional cpu_ms, (1, MONTH_MS)),
    key!(enqueues, (1, 1_000_000), 100_000),
    key!(optional fuel, (1, i64::MAX as u64)),
    key!(handles, (16, 1_000_000), 100_000),
    key!(hostcall_bytes, (64 * KIB, GIB), 256 * MIB),
    key!(http_requests, (1, 10_000), 1_000),
    key!(http_response_bytes, (KIB, 1_024 * GIB), 4 * GIB),
    key!(log_bytes, (KIB, GIB), 64 * MIB),
    key!(log_line_bytes, (80, MIB), MIB),
    key!(log_lines_per_second, (1, 1_000_000), 100_000),
    key!(memory_bytes, (64 * KIB, 4 * GIB), 4 * GIB),
    key!(output_bytes, (2, 64 * MIB), 16 * MIB),
    key!(progress_per_second, (1, 100_000), 10_000),
    key!(progress_steps, (1, 1_000_000), 100_000),
    key!(scratch_bytes, (64 * KIB, 1_024 * 1_024 * GIB), 1_024 * GIB),
    key!(optional timeout_ms, (1, MONTH_MS)),
];

const NAMES: &str = "artifact_bytes, artifact_files, checkpoint_bytes, concurrency, cpu_ms, enqueues, fuel, handles, \
     hostcall_bytes, http_requests, http_response_bytes, log_bytes, log_line_bytes, log_lines_per_second, memory_bytes, output_bytes, progress_per_second, \
     progress_steps, scratch_bytes, timeout_ms";

impl Limits {
    /// The ceiling where the operator sets none: far above what honest plugins need, and low enough that a slip of the
    /// pen in a grants file does not cost the machine. Where nothing is limited by default there is no ceiling either.
    #[must_use]
    pub fn ceiling() -> Self {
        let mut limits = Self::default();
        for key in &KEYS {
            if let Some(value) = key.ceiling {
                (key.set)(&mut limits, value);
            }
        }
        limits
    }

    /// For people: each limit by the key that sets it, null where nothing limits it.
    pub(crate) fn shown(&self) -> JsonText {
        let values = KEYS.iter().map(|key| (key.name.to_owned(), (key.get)(self).map_or(Json::Null, Json::from)));
        JsonText::trusted(Json::Object(values.collect::<Map<_, _>>()).to_string())
    }

    /// What bounds more than one instance.
    pub(crate) fn of_task(&self) -> TaskLimits {
        let concurrency = self.concurrency.map(|attempts| u32::try_from(attempts).unwrap_or(u32::MAX));
        TaskLimits { concurrency, progress_steps: self.progress_steps }
    }

    fn with(mut self, changes: &LimitChanges) -> Self {
        for key in &KEYS {
            if let Some(value) = changes.0.get(key.name) {
                (key.set)(&mut self, *value);
            }
        }
        self
    }

    /// The same with nothing above the ceiling.
    fn below(mut self, ceiling: &Self) -> Self {
        for key in &KEYS {
            let most = (key.get)(ceiling);
            if most.is_some_and(|most| (key.get)(&self).is_none_or(|value| value > most)) {
                (key.set)(&mut self, most.unwrap_or(u64::MAX));
            }
        }
        self
    }
}

/// What one table says about limits, each value in its range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitChanges(BTreeMap<&'static str, u64>);

impl LimitChanges {
    /// Reads a table of limits that stands at `place`, and names every fault.
    pub fn parse(value: &Value, place: &str, faults: &mut Vec<GrantFault>) -> Self {
        let Some(table) = value.as_table() else {
            faults.push(GrantFault::wrong(place, format!("it must be a table of limits: [{place}]")));
            return Self::default();
        };
        let mut changes = BTreeMap::new();
        for (name, value) in table {
            let path = format!("{place}.{name}");
            let Some(key) = KEYS.iter().find(|key| key.name == name) else {
                faults.push(GrantFault::unknown(path, NAMES));
                continue;
            };
            let (least, most) = key.range;
            match value.as_integer().map(u64::try_from) {
                Some(Ok(value)) if (least..=most).contains(&value) => drop(changes.insert(key.name, value)),
                Some(_) => {
                    faults.push(GrantFault::wrong(path, format!("{value} is not between {least} and {most}")));
                }
                None => faults.push(GrantFault::wrong(path, format!("it is a whole number from {least} to {most}"))),
            }
        }
        Self(changes)
    }

    /// What holds for all plugins: the limits of one that says nothing, and the ceiling. Defaults that the operator did not
    /// set himself give way to his ceiling.
    pub fn settle(default: &Self, max: &Self, faults: &mut Vec<GrantFault>) -> (Limits, Limits) {
        for (name, value) in &default.0 {
            if let Some(most) = max.0.get(name).filter(|most| *most < value) {
                let message = format!("{value} is more than `limits.max.{name}`, which is {most}");
                faults.push(GrantFault::wrong(format!("limits.default.{name}"), message));
            }
        }
        let ceiling = Limits::ceiling().with(max);
        // Who sets a default above the built-in ceiling means it.
        let mut raised = ceiling.clone();
        for key in KEYS.iter().filter(|key| !max.0.contains_key(key.name)) {
            if let (Some(value), Some(most)) = (default.0.get(key.name), (key.get)(&ceiling)) {
                (key.set)(&mut raised, most.max(*value));
            }
        }
        (Limits::default().with(default).below(&raised), raised)
    }

    /// The limits of a plugin whose grants file says this. What is above the ceiling is a fault.
    pub(crate) fn apply(&self, default: &Limits, ceiling: &Limits, faults: &mut Vec<GrantFault>) -> Limits {
        for key in &KEYS {
            let (wanted, most) = (self.0.get(key.name), (key.get)(ceiling));
            if let (Some(wanted), Some(most)) = (wanted, most)
                && *wanted > most
            {
                let message = format!(
                    "{wanted} is above the ceiling of {most}: ask for less, or let the operator raise `{}` under \
                     [limits.max] in windlass.toml",
                    key.name
                );
                faults.push(GrantFault::wrong(format!("limits.{}", key.name), message));
            }
        }
        default.clone().with(self).below(ceiling)
    }

    /// Whether a plugin may have these limits.
    pub(crate) fn check(&self, bounds: &LimitBounds<'_>, faults: &mut Vec<GrantFault>) {
        self.apply(bounds.default, bounds.ceiling, faults);
        if self.sets("fuel") && !bounds.is_fuel_counted {
            let remedy = "this daemon does not count fuel: let the operator set `fuel = true` in windlass.toml";
            faults.push(GrantFault::wrong("limits.fuel", remedy));
        }
    }

    /// Whether it sets this limit.
    fn sets(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(text: &str) -> (LimitChanges, Vec<String>) {
        let table: toml::Table = text.parse().unwrap();
        let mut faults = Vec::new();
        let changes = LimitChanges::parse(&Value::Table(table), "limits", &mut faults);
        (changes, faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let (_, faults) = changes("memory = 1\nhandles = 0\ncpu_ms = -5\nfuel = 'much'\nmemory_bytes = 99999999999999");
        assert_eq!(
            faults,
            [
                "`limits.cpu_ms`: -5 is not between 1 and 2678400000",
                "`limits.fuel`: it is a whole number from 1 to 9223372036854775807",
                "`limits.handles`: 0 is not between 16 and 1000000",
                &format!("`limits.memory` is unknown here, the keys are: {NAMES}"),
                "`limits.memory_bytes`: 99999999999999 is not between 65536 and 4294967296",
            ]
        );
    }

    #[test]
    fn the_list_of_names_is_that_of_the_keys() {
        assert_eq!(KEYS.map(|key| key.name).join(", "), NAMES);
        for key in &KEYS {
            let (least, most) = key.range;
            let default = (key.get)(&Limits::default());
            assert!(default.is_none_or(|value| (least..=key.ceiling.unwrap_or(most)).contains(&value)), "{}", key.name);
            assert!(key.ceiling.is_none_or(|ceiling| ceiling <= most), "{}", key.name);
        }
    }

    #[test]
    fn a_plugin_changes_what_it_names_and_keeps_the_rest() {
        let limits =
            changes("cpu_ms = 5\nhandles = 50").0.apply(&Limits::default(), &Limits::ceiling(), &mut Vec::new());
        assert_eq!(limits, Limits { cpu_ms: Some(5), handles: 50, ..Limits::default() });
    }

    #[test]
    fn a_plugin_above_the_ceiling_is_told_the_key_the_value_the_ceiling_and_the_remedy() {
        let mut faults = Vec::new();
        let (max, _) = changes("memory_bytes = 1048576\ncpu_ms = 10");
        let (default, ceiling) = LimitChanges::settle(&LimitChanges::default(), &max, &mut faults);
        changes("memory_bytes = 2097152\ncpu_ms = 10").0.apply(&default, &ceiling, &mut faults);
        let [fault] = faults.as_slice() else { panic!("{faults:?}") };
        assert_eq!(
            fault.to_string(),
            "`limits.memory_bytes`: 2097152 is above the ceiling of 1048576: ask for less, or let the operator raise \
             `memory_bytes` under [limits.max] in windlass.toml"
        );
    }

    #[test]
    fn a_plugin_that_says_nothing_is_below_the_ceiling_too() {
        let (max, _) = changes("memory_bytes = 1048576\ncpu_ms = 10");
        let (default, ceiling) = LimitChanges::settle(&LimitChanges::default(), &max, &mut Vec::new());
        let limits = LimitChanges::default().apply(&default, &ceiling, &mut Vec::new());
        assert_eq!((limits.memory_bytes, limits.cpu_ms), (1_048_576, Some(10)));
    }

    #[test]
    fn a_default_above_the_operators_own_ceiling_is_a_fault() {
        let mut faults = Vec::new();
        LimitChanges::settle(&changes("handles = 50").0, &changes("handles = 40").0, &mut faults);
        assert_eq!(
            faults[0].to_string(),
            "`limits.default.handles`: 50 is more than `limits.max.handles`, which is 40"
        );
    }
}
