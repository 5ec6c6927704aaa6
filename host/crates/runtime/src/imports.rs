//! What a component imports against what this host offers, and what to do about the difference.

use wasmtime::Engine;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker};

use crate::guest::Guest;

/// The packages that are offered: name, the start of the versions, the versions for people.
const OFFERED: [(&str, &str, &str); 11] = [
    ("windlass:task", "1.", "1.x"),
    ("wasi:cli", "0.2.", "0.2.x"),
    ("wasi:clocks", "0.2.", "0.2.x"),
    ("wasi:config", "0.2.", "0.2.x"),
    ("wasi:filesystem", "0.2.", "0.2.x"),
    ("wasi:http", "0.2.", "0.2.x"),
    ("wasi:io", "0.2.", "0.2.x"),
    ("wasi:keyvalue", "0.2.0-draft", "0.2.0-draft and 0.2.0-draft2"),
    // Never released: without a version, or as a draft.
    ("wasi:logging", "", "any"),
    ("wasi:random", "0.2.", "0.2.x"),
    ("wasi:sockets", "0.2.", "0.2.x"),
];

/// How many functions of one interface are named when it lacks them.
const NAMED: usize = 5;

/// How many compatible versions of an interface are tried; more than have ever been published.
const VERSIONS: u32 = 20;

/// Each import that is not offered, in words. Empty if all are there by name; what has another shape, the linker explains.
pub(crate) fn missing(component: &Component, linker: &Linker<Guest>) -> Vec<String> {
    let engine = linker.engine();
    let imported = component.component_type();
    imported.imports(engine).filter_map(|(name, item)| fault(name, &item.ty, linker, engine)).collect()
}

fn fault(import: &str, item: &ComponentItem, linker: &Linker<Guest>, engine: &Engine) -> Option<String> {
    if let Some(drift) = drift(import) {
        return Some(drift);
    }
    let ComponentItem::ComponentInstance(instance) = item else { return None };
    let functions = instance.exports(engine).filter_map(|(name, item)| match item.ty {
        ComponentItem::ComponentFunc(_) => Some(name),
        _ => None,
    });
    let lacking = lacking(linker, import, functions.collect());
    if lacking.is_empty() {
        return None;
    }
    let more = lacking.len().saturating_sub(NAMED);
    let named: Vec<_> = lacking.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!("{}{more} of `{import}`, which this host does not have", named.join(", ")))
}

/// Which of the functions of an interface are not there: what is there already cannot be defined a second time.
fn lacking<'a>(linker: &Linker<Guest>, interface: &str, mut functions: Vec<&'a str>) -> Vec<&'a str> {
    let (path, version) = interface.split_once('@').unwrap_or((interface, ""));
    // An import of one version is met by another that is compatible; under which it is defined cannot be asked.
    let patches = (0..VERSIONS).map(|n| match version.strip_prefix("0.2.") {
        Some(_) => format!("{path}@0.2.{n}"),
        None => format!("{path}@1.{n}.0"),
    });
    for name in patches.chain([interface.to_owned()]) {
        let mut probe = linker.clone();
        if let Ok(mut instance) = probe.instance(&name) {
            functions.retain(|function| instance.func_new(function, |_, _, _, _| Ok(())).is_ok());
        }
    }
    functions
}

/// Whether an import belongs to a package that is offered in this version.
pub(crate) fn is_offered(import: &str) -> bool {
    drift(import).is_none()
}

/// What is wrong with an import by its package and version alone.
fn drift(import: &str) -> Option<String> {
    let (path, version) = import.split_once('@').unwrap_or((import, ""));
    let package = path.split_once('/').map_or(path, |(package, _)| package);
    let shown = format!("`{import}`");
    let Some((name, start, offered)) = OFFERED.iter().find(|(name, ..)| *name == package) else {
        return Some(match package.split_once(':') {
            Some(("wasi", _)) => format!("{shown}, which this host does not offer"),
            _ => format!("{shown}, which is neither WASI nor windlass:task and which this host does not offer"),
        });
    };
    if version.starts_with(start) {
        return None;
    }
    let major = |version: &str| version.split('.').next().and_then(|major| major.parse::<u32>().ok()).unwrap_or(0);
    Some(match *name {
        "windlass:task" if major(version) > major(start) => {
            format!("{shown}; this host speaks {name} {offered}: a newer daemon is needed")
        }
        "windlass:task" => format!("{shown}; this host speaks {name} {offered}: build it with a newer SDK"),
        _ => format!("{shown}; this host offers {offered}: build it for wasm32-wasip2"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drift_is_told_by_package_and_version() {
        let said = |import: &str| drift(import).unwrap();
        assert_eq!(drift("wasi:cli/stdout@0.2.6"), None);
        assert_eq!(drift("windlass:task/job@1.4.0"), None);
        assert_eq!(
            said("wasi:cli/stdout@0.3.0"),
            "`wasi:cli/stdout@0.3.0`; this host offers 0.2.x: build it for wasm32-wasip2"
        );
        assert_eq!(
            said("windlass:task/job@2.0.0"),
            "`windlass:task/job@2.0.0`; this host speaks windlass:task 1.x: a newer daemon is needed"
        );
        assert!(said("windlass:task/job@0.9.0").ends_with(": build it with a newer SDK"));
        assert_eq!(said("wasi:nn/graph@0.2.0"), "`wasi:nn/graph@0.2.0`, which this host does not offer");
        assert!(said("log").contains("neither WASI nor windlass:task"));
    }
}
