//! `auto_rollback` in a grants file: of how many first attempts all must trap for a version to be rolled back by itself.

use toml::Value;

use crate::grants::GrantFault;

/// More than anyone waits for before he looks himself.
const MAX: i64 = 1_000;

/// Reads the number.
pub(crate) fn parse(value: &Value, faults: &mut Vec<GrantFault>) -> Option<u32> {
    let number = value.as_integer().filter(|number| (1..=MAX).contains(number));
    if number.is_none() {
        faults.push(GrantFault::wrong(
            "auto_rollback",
            format!("it is a number of attempts, 1 to {MAX}; without the key nothing is rolled back by itself"),
        ));
    }
    number.and_then(|number| u32::try_from(number).ok())
}
