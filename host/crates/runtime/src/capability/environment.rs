//! Environment values. Denied by default: a guest sees none of the daemon's, only those that its grants file names.

use toml::Value;
use wasmtime_wasi::WasiCtxBuilder;

use crate::grants::GrantFault;

/// The values under `[env]`.
#[derive(Clone, Default)]
pub(crate) struct Environment(Vec<(String, String)>);

impl Environment {
    pub(crate) fn parse(value: &Value, faults: &mut Vec<GrantFault>) -> Self {
        let Some(table) = value.as_table() else {
            faults.push(GrantFault::wrong("env", "it must be a table of values: [env]"));
            return Self::default();
        };
        let mut values = Vec::new();
        for (name, value) in table {
            let key = format!("env.{name}");
            match value.as_str() {
                _ if name.is_empty() || name.contains(['=', '\0']) => {
                    faults.push(GrantFault::wrong(key, "a name is not empty and has no `=`"));
                }
                Some(text) if text.contains('\0') => faults.push(GrantFault::wrong(key, "a value has no NUL")),
                Some(text) => values.push((name.clone(), text.to_owned())),
                None => faults.push(GrantFault::wrong(key, "a value is a string: put it in quotes")),
            }
        }
        Self(values)
    }

    pub(crate) fn grant(&self, wasi: &mut WasiCtxBuilder) {
        wasi.envs(&self.0);
    }

    /// The names alone: a value may be a secret.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }
}
