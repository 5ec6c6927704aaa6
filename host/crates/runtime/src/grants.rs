//! The grants file beside a plugin: what the operator lets it touch. Nothing is granted by default.
//!
//! ```toml
//! enqueue = ["send-email"]   # tasks that its jobs may enqueue
//! auto_rollback = 3          # go back to the version before if the first three attempts all trap; never by default
//!
//! [env]
//! REGION = "north"
//!
//! [[directory]]
//! host = "exports"      # relative paths stand under the data directory
//! guest = "/data"
//! mode = "read"         # or "write", which reads too
//!
//! [[keyvalue]]
//! name = "default"
//! ```

use std::path::{Path, PathBuf};

use serde_json::json;
use toml::Table;
use wasmtime_wasi::WasiCtxBuilder;
use windlass_model::JsonText;

use crate::capability::directories::{DirectoryFault, DirectoryGrant};
use crate::capability::environment::Environment;
use crate::capability::jobs::EnqueueGrant;
use crate::capability::key_value::KeyValueGrant;
use crate::rollback;

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
}

impl GrantFault {
    pub(crate) fn wrong(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Wrong { key: key.into(), message: message.into() }
    }

    pub(crate) fn unknown(key: impl Into<String>, known: &'static str) -> Self {
        Self::Unknown { key: key.into(), known }
    }

    /// Whether it may go away though the file stays as it is.
    pub(crate) fn may_heal(&self) -> bool {
        matches!(self, Self::NoDirectory { .. })
    }
}

/// What one plugin may touch.
#[derive(Clone, Default)]
pub(crate) struct Grants {
    environment: Environment,
    directories: Vec<DirectoryGrant>,
    pub(crate) enqueue: EnqueueGrant,
    pub(crate) key_value: KeyValueGrant,
    pub(crate) auto_rollback: Option<u32>,
}

impl Grants {
    /// Reads a grants file. Relative directories stand under `base`. Names every fault at once.
    pub(crate) fn parse(text: &str, base: &Path) -> Result<Self, Vec<GrantFault>> {
        let table: Table = text.parse().map_err(|error| vec![not_toml(text, &error)])?;
        let mut faults = Vec::new();
        let mut grants = Self::default();
        for (key, value) in &table {
            match key.as_str() {
                "env" => grants.environment = Environment::parse(value, &mut faults),
                "directory" => grants.directories = DirectoryGrant::parse_all(value, base, &mut faults),
                "auto_rollback" => grants.auto_rollback = rollback::parse(value, &mut faults),
                "enqueue" => grants.enqueue = EnqueueGrant::parse(value, &mut faults),
                "keyvalue" => grants.key_value = KeyValueGrant::parse(value, &mut faults),
                _ => faults.push(GrantFault::unknown(key, "auto_rollback, directory, enqueue, env, keyvalue")),
            }
        }
        if faults.is_empty() { Ok(grants) } else { Err(faults) }
    }

    /// Opens to a guest what it was granted.
    pub(crate) fn grant(&self, wasi: &mut WasiCtxBuilder) -> Result<(), DirectoryFault> {
        self.environment.grant(wasi);
        self.directories.iter().try_for_each(|directory| directory.grant(wasi))
    }

    /// For people: names, never values that could be secret.
    pub(crate) fn shown(&self) -> JsonText {
        let mut shown = json!({
            "env": self.environment.names(), "directory": self.directories, "enqueue": self.enqueue, "keyvalue": self.key_value,
        });
        if let Some(attempts) = self.auto_rollback {
            shown["auto_rollback"] = attempts.into();
        }
        JsonText::trusted(shown.to_string())
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

    fn faults(text: &str) -> Vec<String> {
        let base = tempfile::tempdir().unwrap();
        std::fs::create_dir(base.path().join("there")).unwrap();
        let error = Grants::parse(text, base.path()).err().unwrap_or_default();
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
                "`colour` is unknown here, the keys are: auto_rollback, directory, enqueue, env, keyvalue",
                "`directory 1.guest`: it must be an absolute path, such as \"/data\"",
                "`directory 2.size` is unknown here, the keys are: host, guest, mode",
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
        let grants = Grants::parse("auto_rollback = 3", Path::new("/")).ok().unwrap();
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
    fn what_is_shown_has_no_values() {
        let grants = Grants::parse("[env]\nTOKEN = 'secret'", Path::new("/")).ok().unwrap();
        assert_eq!(grants.shown().as_str(), r#"{"directory":[],"enqueue":[],"env":["TOKEN"],"keyvalue":[]}"#);
    }
}
