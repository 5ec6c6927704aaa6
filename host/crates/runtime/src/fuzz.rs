//! Doors for the fuzz targets, to what parses bytes from outside before wasmtime does. Not for anybody else.

use std::path::Path;

use windlass_model::JsonText;

use crate::compile::check_kind;
use crate::error::LoadFault;
use crate::grants::{Grants, LimitBounds, Surroundings};
use crate::limits::Limits;
use crate::schema::ArgsSchema;

/// What a file is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A component, to be compiled.
    Component,
    /// Refused: a core module.
    CoreModule,
    /// Refused: compiled code.
    Precompiled,
    /// Refused: anything else.
    NotWasm,
}

/// The first look at a component's bytes.
#[must_use]
pub fn kind(bytes: &[u8]) -> Kind {
    match check_kind(bytes) {
        Ok(()) => Kind::Component,
        Err(LoadFault::CoreModule) => Kind::CoreModule,
        Err(LoadFault::Precompiled) => Kind::Precompiled,
        Err(_) => Kind::NotWasm,
    }
}

/// Reads a grants file whose directories stand under `/`, where the daemon has no environment. Returns what is shown of it, or all faults.
pub fn grants(text: &str) -> Result<String, Vec<String>> {
    let (default, ceiling) = (Limits::default(), Limits::ceiling());
    let bounds = LimitBounds { default: &default, ceiling: &ceiling, is_fuel_counted: false };
    let parsed = Grants::parse(text, &Surroundings { base: Path::new("/"), variable: |_| None, bounds });
    let words = |faults: Vec<crate::GrantFault>| faults.iter().map(ToString::to_string).collect();
    parsed.map(|grants| grants.shown().as_str().to_owned()).map_err(words)
}

/// Reads a schema and checks arguments against it. Returns all faults of the arguments, if the schema can be used.
#[must_use]
pub fn check_args(schema: &JsonText, args: &JsonText) -> Option<Vec<String>> {
    let schema = ArgsSchema::parse(schema).ok()?;
    let faults = schema.check(args).err().unwrap_or_default();
    Some(faults.into_iter().map(|fault| fault.message).collect())
}
