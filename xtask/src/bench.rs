//! `cargo xtask bench`: what the hot parts cost in instructions, and a short look at each scenario of `windlass bench`.

use std::fs;

use anyhow::{Context, Result, ensure};

use crate::plugins;
use crate::shell::{cargo, output, program, run, target};

/// How often a hot part is called in the two runs of which the difference is taken.
const CALLS: (u64, u64) = (1_000, 3_000);

/// The scenarios, short.
const SCENARIOS: [&[&str]; 4] = [
    &["drain", "--jobs", "20000"],
    &["end-to-end", "--jobs", "20000"],
    &["latency", "--jobs", "500"],
    &["soak", "--seconds", "20"],
];

/// Builds everything as it is shipped, counts, and measures; with these flags for each scenario.
pub(crate) fn bench(flags: &[String]) -> Result<()> {
    plugins::build()?;
    run(cargo(&["build", "--release", "--package", "windlass", "--package", "windlass-hot"]))?;
    count()?;
    for scenario in SCENARIOS {
        let mut bench = program(target().join("release/windlass"), ["bench"]);
        bench.args(scenario).args(flags);
        run(bench)?;
    }
    Ok(())
}

/// Prints what a call of each hot part costs, and of how much that differs from the count before.
fn count() -> Result<()> {
    let hot = target().join("release/windlass-hot");
    let kept = target().join("hot.txt");
    let before = fs::read_to_string(&kept).unwrap_or_default();
    let mut now = String::new();
    println!("Instructions for each call");
    for name in output(program(&hot, [""; 0]))?.lines() {
        let counted = |calls: u64| instructions(&hot, name, calls);
        let each = (counted(CALLS.1)? - counted(CALLS.0)?) / (CALLS.1 - CALLS.0) as f64;
        let last = before.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
        let change = last.map(|last| format!("{:+.1} %", (each / last - 1.0) * 100.0)).unwrap_or_default();
        println!("  {name:28}{each:>12.0}  {change}");
        now.push_str(&format!("{name} {each:.1}\n"));
    }
    fs::write(&kept, now).with_context(|| format!("cannot write {}", kept.display()))
}

/// How many instructions a run takes, as valgrind counts them.
fn instructions(hot: &std::path::Path, name: &str, calls: u64) -> Result<f64> {
    let mut valgrind = program("valgrind", ["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    valgrind.arg(hot).arg(name).arg(calls.to_string());
    let ran = valgrind.output().context("cannot run valgrind: is it installed? (Debian: apt-get install valgrind)")?;
    let said = String::from_utf8_lossy(&ran.stderr);
    ensure!(ran.status.success(), "valgrind failed: {said}");
    let collected = said.lines().find_map(|line| line.split_once("Collected :")).context("valgrind told no count")?;
    Ok(collected.1.trim().parse()?)
}
