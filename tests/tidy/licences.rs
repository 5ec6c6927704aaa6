//! Licences of all that is built in.

use std::process::Command;

use serde_json::Value;

use crate::{assert_none, root};

/// Licences that let us give the binary away under ours.
const ALLOWED: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
];

/// Whether one may choose licences that are all allowed. Knows `AND`, `OR`, `/` and brackets, as far as crates use them.
fn is_allowed(expression: &str) -> bool {
    let expression = expression.replace('/', " OR ");
    let expression = expression.trim();
    if let Some(inner) = expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'))
        && !inner.contains(['(', ')'])
    {
        return is_allowed(inner);
    }
    // AND binds closer than OR, and both only count outside of brackets.
    for (operator, combine) in [(" OR ", bool::max as fn(bool, bool) -> bool), (" AND ", bool::min)] {
        for (at, _) in expression.match_indices(operator) {
            let (left, right) = (&expression[..at], &expression[at + operator.len()..]);
            if left.matches('(').count() == left.matches(')').count() {
                return combine(is_allowed(left), is_allowed(right));
            }
        }
    }
    ALLOWED.contains(&expression)
}

#[test]
fn every_dependency_has_a_licence_that_suits_ours() {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let answer = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--offline",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    let metadata: Value = serde_json::from_slice(&answer.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100);
    let fault = |package: &Value| {
        let licence = package["license"].as_str().unwrap_or("none");
        (!is_allowed(licence)).then(|| format!("{} {}: {licence}", package["name"], package["version"]))
    };
    assert_none(packages.iter().filter_map(fault).collect(), "do without these, or add their licence with a reason");
}

#[test]
fn a_licence_is_allowed_if_one_may_choose_it() {
    assert!(is_allowed("MIT OR GPL-3.0"));
    assert!(is_allowed("GPL-3.0/MIT"));
    assert!(is_allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(!is_allowed("MIT AND GPL-3.0"));
    assert!(!is_allowed("none"));
}
