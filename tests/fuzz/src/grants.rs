//! A grants file.

use serde_json::Value;
use windlass_runtime::fuzz::grants as parse;

/// What is refused is refused in words, one for each fault. What is taken is shown as JSON without a value of the environment, and
/// says the same however its TOML is laid out.
pub fn grants(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let shown = match parse(text) {
        Ok(shown) => shown,
        Err(faults) => {
            return assert!(
                !faults.is_empty() && faults.iter().all(|fault| !fault.is_empty()),
                "refused without a word"
            );
        }
    };
    let json: Value = serde_json::from_str(&shown).expect("what is shown is JSON");
    let table: toml::Table = text.parse().expect("what was taken is TOML");
    let names: Vec<_> =
        table.get("env").and_then(toml::Value::as_table).into_iter().flatten().map(|(name, _)| name).collect();
    let mut told: Vec<_> = json["env"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    told.sort_unstable();
    assert_eq!(told, names.iter().map(|name| name.as_str()).collect::<Vec<_>>());
    let again = toml::to_string(&table).expect("a table can be written");
    assert_eq!(parse(&again), Ok(shown), "the same grants in another layout");
}
