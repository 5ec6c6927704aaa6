//! Config values, by `wasi:config/store`. Denied by default: a guest finds those that its grants file names.
//!
//! ```toml
//! [config]
//! region = "north"
//! token = { secret = "api" }
//! ```

use toml::Value;
use wasmtime::component::Linker;
use wasmtime_wasi_config::{WasiConfig, WasiConfigVariables};

use crate::capability::secrets::{Handout, Secrets};
use crate::capability::values::Values;
use crate::grants::GrantFault;
use crate::guest::Guest;

/// The values under `[config]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config(Values);

impl Config {
    pub(crate) fn parse(value: &Value, faults: &mut Vec<GrantFault>) -> Self {
        Self(Values::parse("config", value, faults))
    }

    pub(crate) fn check(&self, secrets: &Secrets, faults: &mut Vec<GrantFault>) {
        self.0.check("config", secrets, faults);
    }

    pub(crate) fn grant(&self, handout: &Handout) -> WasiConfigVariables {
        self.0.handed(handout).collect()
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.names()
    }
}

pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    wasmtime_wasi_config::add_to_linker(linker, |guest| WasiConfig::from(&guest.config))
}
