//! Environment values. Denied by default: a guest sees none of the daemon's, only those that its grants file names.

use toml::Value;
use wasmtime_wasi::WasiCtxBuilder;

use crate::capability::secrets::{Handout, Secrets};
use crate::capability::values::Values;
use crate::grants::GrantFault;

/// The values under `[env]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment(Values);

impl Environment {
    pub(crate) fn parse(value: &Value, faults: &mut Vec<GrantFault>) -> Self {
        Self(Values::parse("env", value, faults))
    }

    pub(crate) fn check(&self, secrets: &Secrets, faults: &mut Vec<GrantFault>) {
        self.0.check("env", secrets, faults);
    }

    pub(crate) fn grant(&self, wasi: &mut WasiCtxBuilder, handout: &Handout) {
        for (name, value) in self.0.handed(handout) {
            wasi.env(name, value);
        }
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.names()
    }
}
