//! The grants file beside a plugin: what the operator lets it touch. Nothing is granted by default.
//!
//! Each key is explained where it is granted, in `capability/`; operators read `host/docs/grants.md`.
//!
//! ```toml
//! enqueue = ["send-email"]   # tasks that its jobs may enqueue
//! auto_rollback = 3          # go back to the version before if the first three attempts all trap; never by default
//!
//! [env]
//! REGION = "north"
//! API_KEY = { secret = "api" }
//!
//! [secret.api]
//! env = "API_KEY"
//! http = ["https://api.example.com"]
//!
//! [[http]]
//! origin = "https://api.example.com"
//!
//! [limits]
//! memory_bytes = 536870912
//!
//! [[directory]]
//! host = "exports"      # relative paths stand under the data directory
//! guest = "/data"
//! mode = "write"        # reads too; or "read"
//! bytes = 1073741824    # how much may be in it; without it the disk is the bound
//!
//! [[keyvalue]]
//! name = "default"
//! ```

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::json;
use toml::Table;
use wasmtime_wasi::WasiCtxBuilder;
use windlass_model::JsonText;

use crate::capability::config::Config;
use crate::capability::directories::{DirectoryFault, DirectoryGrant};
use crate::capability::entries::{Entry, entries};
use crate::capability::environment::Environment;
use crate::capability::filesystem::{Quotas, Root};
use crate::capability::http::HttpGrant;
use crate::capability::jobs::EnqueueGrant;
use crate::capability::key_value::KeyValueGrant;
use crate::capability::network::TcpGrant;
use crate::capability::secrets::{Handout, Secrets};
use crate::limits::{LimitChanges, Limits};
use crate::rollback;

/// The keys that a grants file may have.
const KEYS: &str = "auto_rollback, config, directory, enqueue, env, http, keyvalue, limits, secret, tcp";

/// What is wrong with one line of a grants file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantFault {
    /// It is not TOML.
    #[error("it is not TOML: {0}")]
    NotToml(String),
    /// A key that means nothing.
    #[error("`{key}` is unknown here, the keys are: {known}")]
    Unknown {
        /// Which.
        key: String,
        /// Which there are.
        known: &'static str,
    },
    /// A value that cannot be.
    #[error("`{key}`: {message}")]
    Wrong {
        /// Which.
        key: String,
        /// Why not.
        message: String,
    },
    /// A directory that does not exist.
    #[error("`{key}`: there is no directory `{}`: make it, or take the grant away", path.display())]
    NoDirectory {
        /// Which.
        key: String,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A secret whose value could not be had, or not be used.
    #[error("`{key}`: {message}")]
    NoSecret {
        /// Which.
        key: String,
        /// Why not.
        message: String,
    },
}

impl GrantFault {
    /// A value that cannot be.
    pub fn wrong(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Wrong { key: key.into(), message: message.into() }
    }

    /// A key that means nothing.
    pub fn unknown(key: impl Into<String>, known: &'static str) -> Self {
        Self::Unknown { key: key.into(), known }
    }

    /// Whether it may go away though the file stays as it is.
    pub(crate) fn may_heal(&self) -> bool {
        matches!(self, Self::NoDirectory { .. } | Self::NoSecret { .. })
    }
}

/// What a grants file refers to.
pub(crate) struct Surroundings<'a> {
    /// Relative paths stand under it.
    pub(crate) base: &'a Path,
    /// A variable of the daemon's environment.
    pub(crate) variable: fn(&str) -> Option<OsString>,
    pub(crate) bounds: LimitBounds<'a>,
}

/// What the operator says about the limits of all plugins.
pub(crate) struct LimitBounds<'a> {
    pub(crate) default: &'a Limits,
    pub(crate) ceiling: &'a Limits,
    pub(crate) is_fuel_counted: bool,
}

#[cfg(test)]
impl Surroundings<'_> {
    /// Those of an operator who sets no limits.
    pub(crate) fn usual(base: &Path, variable: fn(&str) -> Option<OsString>) -> Surroundings<'_> {
        static BOUNDS: std::sync::LazyLock<[Limits; 2]> =
            std::sync::LazyLock::new(|| [Limits::default(), Limits::ceiling()]);
        let [default, ceiling] = &*BOUNDS;
        Surroundings { base, variable, bounds: LimitBounds { default, ceiling, is_fuel_counted: false } }
    }
}

/// What one plugin may touch.
#[derive(Clone, Default)]
pub(crate) struct Grants {
    /// The keys that its file has, even if they grant nothing.
    sections: BTreeSet<String>,
    pub(crate) environment: Environment,
    pub(crate) directories: Vec<DirectoryGrant>,
    pub(crate) enqueue: EnqueueGrant,
    pub(crate) key_value: KeyValueGrant,
    pub(crate) auto_rollback: Option<u32>,
    pub(crate) secrets: Secrets,
    pub(crate) config: Config,
    pub(crate) http: HttpGrant,
    pub(crate) tcp: TcpGrant,
    limits: LimitChanges,
}

impl Grants {
    /// Reads a grants file. Names every fault at once.
    pub(crate) fn parse(text: &str, around: &Surroundings<'_>) -> Result<Self, Vec<GrantFault>> {
        let table: Table = text.parse().map_err(|error| vec![not_toml(text, &error)])?;
        let mut faults = Vec::new();
        let mut grants = Self { sections: table.keys().cloned().collect(), ..Self::default() };
        for (key, value) in &table {
            let faults = &mut faults;
            match key.as_str() {
                "env" => grants.environment = Environment::parse(value, faults),
                "directory" => grants.directories = DirectoryGrant::parse_all(value, around.base, faults),
                "auto_rollback" => grants.auto_rollback = rollback::parse(value, faults),
                "enqueue" => grants.enqueue = EnqueueGrant::parse(value, faults),
                "secret" => grants.secrets = Secrets::parse(value, around, faults),
                "config" => grants.config = Config::parse(value, faults),
                "http" => grants.http = HttpGrant::parse(value, faults),
                "keyvalue" => grants.key_value = KeyValueGrant::parse(value, faults),
                "limits" => grants.limits = LimitChanges::parse(value, "limits", faults),
                "tcp" => grants.tcp = TcpGrant::parse(value, faults),
                _ => faults.push(GrantFault::unknown(key, KEYS)),
            }
        }
        grants.limits.check(&around.bounds, &mut faults);
        // What refers to another section is judged when that one was read without a fault.
        if faults.is_empty() {
            grants.environment.check(&grants.secrets, &mut faults);
            grants.config.check(&grants.secrets, &mut faults);
            faults.extend(grants.unreachable());
        }
        if faults.is_empty() { Ok(grants) } else { Err(faults) }
    }

    /// Secrets that are bound to places where no request may go.
    fn unreachable(&self) -> impl Iterator<Item = GrantFault> {
        let reached = |origin| self.http.rules().iter().any(|rule| rule.origin.covers(origin));
        let lost = self.secrets.bound().filter(move |(_, origin)| !reached(*origin));
        lost.map(|(key, origin)| GrantFault::wrong(key, format!("no [[http]] of this file grants {origin}")))
    }

    /// Whether the file has this key, even if it grants nothing.
    pub(crate) fn has(&self, section: &str) -> bool {
        self.sections.contains(section)
    }

    /// The secrets for one attempt.
    pub(crate) fn hand_out(&self) -> Handout {
        self.secrets.hand_out()
    }

    /// Opens to a guest what it was granted of files and environment.
    pub(crate) fn grant(&self, wasi: &mut WasiCtxBuilder, handout: &Handout) -> Result<(), DirectoryFault> {
        self.environment.grant(wasi, handout);
        self.directories.iter().try_for_each(|directory| directory.grant(wasi))
    }

    /// What an attempt may use.
    pub(crate) fn limits(&self, bounds: &LimitBounds<'_>) -> Limits {
        // What is above the ceiling was a fault of the file.
        self.limits.apply(bounds.default, bounds.ceiling, &mut Vec::new())
    }

    /// What a guest may do in the directories that it was granted.
    pub(crate) fn roots(&self, quotas: &Quotas) -> Vec<Root> {
        self.directories.iter().map(|directory| directory.root(quotas)).collect()
    }

    /// For people: names, never values that could be secret.
    pub(crate) fn shown(&self) -> JsonText {
        let mut shown = json!({
            "config": self.config.names(),
            "directory": self.directories,
            "enqueue": self.enqueue,
            "env": self.environment.names(),
            "http": self.http.rules(),
            "keyvalue": self.key_value,
            "secret": self.secrets.shown(),
            "tcp": self.tcp.rules(),
        });
        if let Some(attempts) = self.auto_rollback {
            shown["auto_rollback"] = attempts.into();
        }
        JsonText::trusted(shown.to_string())
    }
}

/// Reads one table as if it stood in a grants file. The first fault is the error.
pub(crate) fn read_entry<T>(
    section: &str,
    table: &Table,
    parse: impl Fn(&Entry<'_>, &mut Vec<GrantFault>) -> Option<T>,
) -> Result<T, String> {
    let (list, mut faults) = (toml::Value::Array(vec![toml::Value::Table(table.clone())]), Vec::new());
    let read = entries(section, &list, &mut faults).first().and_then(|entry| parse(entry, &mut faults));
    match (read, faults.into_iter().next()) {
        (Some(read), None) => Ok(read),
        (_, fault) => Err(fault.map_or_else(String::new, |fault| fault.to_string())),
    }
}

fn not_toml(text: &str, error: &toml::de::Error) -> GrantFault {
    let line = error.span().map(|span| text[..span.start.min(text.len())].lines().count().max(1));
    let place = line.map_or_else(String::new, |line| format!("line {line}: "));
    GrantFault::NotToml(format!("{place}{}", error.message()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str) -> Option<OsString> {
        (name == "THERE").then(|| "hunter2".into())
    }

    fn parse(text: &str, base: &Path) -> Result<Grants, Vec<GrantFault>> {
        Grants::parse(text, &Surroundings::usual(base, variable))
    }

    fn faults(text: &str) -> Vec<String> {
        let base = tempfile::tempdir().unwrap();
        std::fs::create_dir(base.path().join("there")).unwrap();
        let error = parse(text, base.path()).err().unwrap_or_default();
        let base = base.path().display().to_string();
        error.iter().map(|fault| fault.to_string().replace(&base, "BASE")).collect()
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let text = r#"
            colour = "red"
            [env]
            N = 5
            [[directory]]
            host = "there"
            guest = "data"
            mode = "read"
            [[directory]]
            host = "missing"
            guest = "/out/x"
            mode = "rw"
            size = 3
        "#;
        assert_eq!(
            faults(text),
            [
                "`colour` is unknown here, the keys are: auto_rollback, config, directory, enqueue, env, http, keyvalue, limits, secret, tcp",
                "`directory 1.guest`: it must be an absolute path, such as \"/data\"",
                "`directory 2.size` is unknown here, the keys are: host, guest, mode, bytes",
                "`directory 2.host`: there is no directory `BASE/missing`: make it, or take the grant away",
                "`directory 2.guest`: `/out` belongs to the job: choose another path",
                "`directory 2.mode`: it is \"read\" or \"write\"",
                "`env.N`: a value is a string: put it in quotes",
            ]
        );
    }

    #[test]
    fn the_directories_of_the_job_cannot_be_granted_in_disguise() {
        for guest in ["/out", "/out/", "//tmp", "/tmp//x", "/a/../tmp", "/./out"] {
            let text = format!("[[directory]]\nhost = 'there'\nguest = '{guest}'\nmode = 'read'");
            assert_eq!(faults(&text).len(), 1, "{guest}");
        }
        assert_eq!(faults("[[directory]]\nhost = 'there'\nguest = '/output'\nmode = 'read'").len(), 0);
    }

    #[test]
    fn two_grants_for_one_guest_path_are_refused() {
        let one = "[[directory]]\nhost = 'there'\nguest = '/data'\nmode = 'read'\n";
        let found = faults(&format!("{one}{}", one.replace("/data", "/data/")));
        assert_eq!(found, ["`directory 2.guest`: two directories cannot both be `/data`"]);
    }

    #[test]
    fn the_number_of_attempts_before_a_rollback_is_checked() {
        let grants = parse("auto_rollback = 3", Path::new("/")).ok().unwrap();
        assert_eq!(grants.auto_rollback, Some(3));
        assert!(grants.shown().as_str().contains(r#""auto_rollback":3"#));
        for wrong in ["0", "1001", "true", "'3'"] {
            assert!(faults(&format!("auto_rollback = {wrong}"))[0].contains("1 to 1000"), "{wrong}");
        }
    }

    #[test]
    fn what_is_not_toml_is_refused_with_its_line() {
        assert!(faults("[env]\nA = \n")[0].starts_with("it is not TOML: line 2: "));
    }

    #[test]
    fn a_secret_that_is_not_there_or_leads_nowhere_is_refused_by_name() {
        let found =
            faults("[secret.a]\nenv = 'GONE'\n[secret.b]\nfile = 'gone'\n[secret.c]\n[secret.'d d']\nenv = 'THERE'");
        assert_eq!(found[0], "`secret.a`: the daemon's environment has no `GONE`: set it and start the daemon anew");
        assert!(found[1].starts_with("`secret.b`: the file `BASE/gone` could not be read: "), "{found:?}");
        assert!(found[2].starts_with("`secret.c`: it has exactly one of `env` "), "{found:?}");
        assert_eq!(found[3], "`secret.d d`: a name has 1 to 64 letters, digits, `-` and `_`");
        let found = faults("[env]\nKEY = { secret = 'a' }\n[config]\nkey = { secret = 'b' }");
        let message = |key, name| format!("`{key}`: there is no [secret.{name}] in this file");
        assert_eq!(found, [message("env.KEY", "a"), message("config.key", "b")]);
        let bound = "[secret.a]\nenv = 'THERE'\nhttp = ['https://a.example']\n";
        assert_eq!(faults(bound), ["`secret.a.http 1`: no [[http]] of this file grants https://a.example"]);
        assert_eq!(faults(&format!("{bound}[[http]]\norigin = 'https://a.example'")), Vec::<String>::new());
        for origin in ["http://a.example", "https://*.a.example", "http://10.0.0.1"] {
            let text = format!("[secret.a]\nenv = 'THERE'\nhttp = ['{origin}']");
            assert_eq!(faults(&text).len(), 1, "{origin}");
        }
    }

    #[test]
    fn what_is_shown_has_no_values() {
        let text = "
            enqueue = ['b']
            [env]
            TOKEN = 'hunter2'
            KEY = { secret = 'key' }
            [config]
            level = 'hunter2'
            [secret.key]
            env = 'THERE'
            http = ['https://a.example.com']
            [[http]]
            origin = 'https://*.example.com'
            addresses = ['10.0.0.0/8']
            [[tcp]]
            host = '::1'
            port = 25
        ";
        let shown = parse(text, Path::new("/")).ok().unwrap().shown();
        assert!(!shown.as_str().contains("hunter2"));
        let shown: serde_json::Value = serde_json::from_str(shown.as_str()).unwrap();
        assert_eq!(
            shown,
            json!({
                "config": ["level"],
                "directory": [],
                "enqueue": ["b"],
                "env": ["KEY", "TOKEN"],
                "http": [{
                    "origin": "https://*.example.com",
                    "methods": ["GET", "HEAD"],
                    "paths": ["*"],
                    "addresses": ["10.0.0.0/8"],
                }],
                "keyvalue": [],
                "secret": { "key": { "env": "THERE", "http": ["https://a.example.com"] } },
                "tcp": [{ "host": "[::1]", "ports": [25] }],
            })
        );
    }
}
